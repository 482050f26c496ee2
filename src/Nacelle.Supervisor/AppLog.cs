using System.Globalization;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>An app's log, in CRI's format (Kubernetes, kuberuntime logs: time, stream, P or F, line), turned over when it is long; one older file stays.</summary>
/// <remarks>A full disk costs the log, not the app.</remarks>
sealed class AppLog : IDisposable
{
    const long MaximumSize = 10 << 20;

    readonly string path;
    readonly byte[] line = new byte[AppStream.ChunkSize + 64];
    FileDescriptor file;
    long size;

    AppLog(string path)
    {
        this.path = path;
        file = Open(OpenFlags.Append);
        size = Files.Seek(file, 0, SeekOrigin.End);
    }

    /// <returns>Null where there is no room for it.</returns>
    public static AppLog? TryOpen(string app)
    {
        AppLog? log = null;
        PodFiles.Try($"logs/{app}.log", path => log = new AppLog(path));
        return log;
    }

    /// <param name="stream">stdout or stderr.</param>
    /// <param name="content">At most a chunk, without the line's end.</param>
    /// <param name="whole">The line ends here.</param>
    public void Write(string stream, ReadOnlySpan<byte> content, bool whole)
    {
        DateTime.UtcNow.TryFormat(line, out int at, "yyyy-MM-dd'T'HH:mm:ss.fffffff'00Z '", CultureInfo.InvariantCulture);
        at += System.Text.Encoding.ASCII.GetBytes(stream, line.AsSpan(at));
        (whole ? " F "u8 : " P "u8).CopyTo(line.AsSpan(at));
        at += 3;
        content.CopyTo(line.AsSpan(at));
        at += content.Length;
        line[at++] = (byte)'\n';
        try
        {
            if (size + at > MaximumSize)
            {
                TurnOver();
            }

            Files.Write(file, line.AsSpan(0, at));
            size += at;
        }
        catch (KernelException)
        {
        }
    }

    void TurnOver()
    {
        Files.Rename(FileDescriptor.WorkingDirectory, path, FileDescriptor.WorkingDirectory, path + ".1");
        file.Dispose();
        file = Open(OpenFlags.Truncate);
        size = 0;
    }

    FileDescriptor Open(OpenFlags flags) => Files.Open(path, OpenFlags.WriteOnly | OpenFlags.Create | flags, 0x1A0);

    public void Dispose() => file.Dispose();
}
