using System.Globalization;
using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>A line of an app's log, or a piece of one.</summary>
/// <param name="IsError">Written to standard error.</param>
/// <param name="IsWhole">The line ends here.</param>
/// <param name="Content">As the app wrote it, without the line's end.</param>
public sealed record LogLine(AppName App, DateTimeOffset Time, bool IsError, bool IsWhole, byte[] Content);

/// <summary>Reads the log of an app from its beginning, and on while it grows.</summary>
/// <remarks>Kubernetes, kuberuntime logs: time, stream, P or F, content. An older file, to which the log was turned over, is read first.</remarks>
public sealed class PodLogs(Pod pod, AppName app) : IDisposable
{
    readonly string path = $"stage1/rootfs/rkt/logs/{app}.log";
    readonly byte[] buffer = new byte[65536];
    FileDescriptor? file;
    bool begun;
    int length;

    /// <summary>The lines that are there now and were not read yet; none where the app keeps no log.</summary>
    public IEnumerable<LogLine> ReadOn()
    {
        if (!begun)
        {
            begun = true;
            file = TryOpen(path + ".1");
        }

        while (true)
        {
            foreach (var line in ReadFile())
            {
                yield return line;
            }

            // Where the name now leads to another file, the log was turned over: this one is at its end.
            if (Files.TryStatus(pod.Directory, path, out _) is not { } current || (file is not null && Files.Status(file).Inode == current.Inode))
            {
                yield break;
            }

            foreach (var line in ReadFile())
            {
                yield return line;
            }

            file?.Dispose();
            file = TryOpen(path);
            length = 0;
            if (file is null)
            {
                yield break;
            }
        }
    }

    IEnumerable<LogLine> ReadFile()
    {
        while (file is not null && Files.Read(file, buffer.AsSpan(length)) is > 0 and var count)
        {
            length += count;
            int start = 0;
            for (int end; (end = buffer.AsSpan(start, length - start).IndexOf((byte)'\n')) >= 0; start += end + 1)
            {
                if (Parse(buffer.AsSpan(start, end)) is { } line)
                {
                    yield return line;
                }
            }

            buffer.AsSpan(start, length - start).CopyTo(buffer);
            length = start == 0 && length == buffer.Length ? 0 : length - start; // no log of ours has such a line
        }
    }

    /// <returns>Null for what is no line of a log.</returns>
    LogLine? Parse(ReadOnlySpan<byte> line)
    {
        int first = line.IndexOf((byte)' ');
        int second = first < 0 ? -1 : first + 1 + line[(first + 1)..].IndexOf((byte)' ');
        if (second <= first || line.Length < second + 3 || line[second + 2] != ' ' || line[second + 1] is not ((byte)'P' or (byte)'F')
            || !DateTimeOffset.TryParse(Encoding.ASCII.GetString(line[..first]), CultureInfo.InvariantCulture, out var time))
        {
            return null;
        }

        return new LogLine(app, time, line[(first + 1)..second].SequenceEqual("stderr"u8), line[second + 1] == 'F', line[(second + 3)..].ToArray());
    }

    FileDescriptor? TryOpen(string name) => Files.TryOpen(pod.Directory, name, OpenFlags.ReadOnly | OpenFlags.NoFollow, out _, resolve: ResolveFlags.NoSymlinks);

    public void Dispose() => file?.Dispose();
}
