using System.Text;
using Nacelle.Linux;

namespace Nacelle.Containers;

/// <summary>What stage1 says to people: on standard error, one line each, written at once.</summary>
public static class Messages
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
