using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>Errors and warnings: on standard error for people, and in the file that an engine names for the engine.</summary>
/// <remarks>The members level, msg and time of a line are what podman and containerd read from the file.</remarks>
static class Log
{
    public static void Error(GlobalOptions options, string message) => Write(options, "error", message);

    public static void Warning(GlobalOptions options, string message) => Write(options, "warning", message);

    static void Write(GlobalOptions options, string level, string message)
    {
        try
        {
            Files.Write(FileDescriptor.StandardError, Encoding.UTF8.GetBytes($"nacelle-oci: {(level == "error" ? "" : level + ": ")}{message}\n"));
        }
        catch (KernelException)
        {
            // Nobody listens.
        }

        if (options.Log is not { } path)
        {
            return;
        }

        try
        {
            using var file = Files.Open(path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Append, 0x1A4);
            Files.Write(file, options.LogIsJson ? Json(level, message) : Encoding.UTF8.GetBytes($"time=\"{Now()}\" level={level} msg={Quote(message)}\n"));
        }
        catch (KernelException)
        {
            // What was to be said has been said on standard error.
        }
    }

    static byte[] Json(string level, string message) =>
    [
        .. SpecWriter.Write(message, (json, text) =>
        {
            json.Text("level", level);
            json.Text("msg", text);
            json.Text("time", Now());
        }),
        (byte)'\n',
    ];

    static string Quote(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    static string Now() => DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}
