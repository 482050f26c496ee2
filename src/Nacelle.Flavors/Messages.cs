using System.Text;
using Nacelle.Linux;

namespace Nacelle.Flavors;

/// <summary>What a flavor says to people: on standard error, one line each, written at once.</summary>
static class Messages
{
    /// <summary>The exit code of our own errors, as with rkt: no app's code is meant by it.</summary>
    public const int OwnError = 254;

    public static void Error(string text)
    {
        try
        {
            Files.Write(FileDescriptor.StandardError, Encoding.UTF8.GetBytes($"nacelle: {text}\n"));
        }
        catch (KernelException)
        {
            // Nobody listens.
        }
    }
}

/// <summary>A flavor cannot do what it was started for; the message is one line for a person.</summary>
sealed class FlavorException(string message) : Exception(message);
