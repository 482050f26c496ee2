using System.Globalization;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>What an app writes: passed on to the pod's own standard output and error as it comes, and kept in a log.</summary>
/// <remarks>
/// The log has CRI's format (Kubernetes, kuberuntime logs: time, stream, P or F, line) and is turned over when it is long; one older file stays.
/// Nothing is read from the app while whoever reads our output is behind, so a stuck reader never stops the supervisor itself.
/// </remarks>
sealed class AppOutput(string app)
{
    // A pipe that poll(2) calls writable takes PIPE_BUF bytes at once without blocking (pipe(7)).
    const int ChunkSize = 4096;
    const long MaximumLogSize = 10 << 20;

    readonly Stream[] streams =
    [
        new("stdout"u8.ToArray(), FileDescriptor.StandardOutput),
        new("stderr"u8.ToArray(), FileDescriptor.StandardError),
    ];

    readonly byte[] chunk = new byte[ChunkSize];
    readonly byte[] line = new byte[ChunkSize + 64];
    FileDescriptor log = OpenLog(app, OpenFlags.Append);
    long logSize;

    /// <summary>Makes the pipes and connects the plan's standard output and error to them.</summary>
    /// <returns>The app's ends, to be closed when it is started.</returns>
    public IDisposable Connect(PlanImage plan)
    {
        var ends = new FileDescriptor[2];
        for (int i = 0; i < 2; i++)
        {
            (streams[i].Source, ends[i]) = Files.CreatePipe($"output of app {app}");
            plan.SetStandard(i + 1, ends[i]);
        }

        return new AppEnds(ends);
    }

    /// <summary>Fills in four entries: for each stream where it comes from and where it goes.</summary>
    public void Prepare(Span<PollEntry> entries)
    {
        for (int i = 0; i < 2; i++)
        {
            var stream = streams[i];
            bool wait = stream.Source is not null && stream.HasInput && stream.Target is not null;
            entries[i * 2] = new PollEntry { Number = stream.Source is null || wait ? -1 : stream.Source.Number, Wanted = PollEvents.Readable };
            entries[(i * 2) + 1] = new PollEntry { Number = wait ? stream.Target!.Number : -1, Wanted = PollEvents.Writable };
        }
    }

    /// <summary>Moves what can be moved without waiting.</summary>
    public void Transfer(Span<PollEntry> entries)
    {
        for (int i = 0; i < 2; i++)
        {
            var stream = streams[i];
            if (entries[(i * 2) + 1].Happened != PollEvents.None || (entries[i * 2].Happened != PollEvents.None && stream.Target is null))
            {
                Move(stream);
                stream.HasInput = false;
            }
            else if (entries[i * 2].Happened != PollEvents.None)
            {
                stream.HasInput = true; // read when the reader of our output is ready
            }
        }
    }

    /// <summary>Takes what is left in the pipes when the app has ended.</summary>
    public void Drain()
    {
        foreach (var stream in streams)
        {
            while (stream.Source is not null && Polling.Wait([new PollEntry { Number = stream.Source.Number, Wanted = PollEvents.Readable }], 0) > 0)
            {
                Move(stream);
            }

            WriteLine(stream, [], whole: true, force: stream.IsPartial);
        }
    }

    void Move(Stream stream)
    {
        int count = Files.Read(stream.Source!, chunk);
        if (count == 0)
        {
            stream.Source!.Dispose();
            stream.Source = null;
            return;
        }

        try
        {
            if (stream.Target is not null)
            {
                Files.Write(stream.Target, chunk.AsSpan(0, count));
            }
        }
        catch (KernelException)
        {
            stream.Target = null; // nobody reads any more; the log goes on
        }

        Log(stream, chunk.AsSpan(0, count));
    }

    void Log(Stream stream, ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            int end = content.IndexOf((byte)'\n');
            WriteLine(stream, end < 0 ? content : content[..end], whole: end >= 0, force: true);
            content = content[(end < 0 ? content.Length : end + 1)..];
        }
    }

    void WriteLine(Stream stream, ReadOnlySpan<byte> content, bool whole, bool force)
    {
        if (!force)
        {
            return;
        }

        stream.IsPartial = !whole;
        DateTime.UtcNow.TryFormat(line, out int at, "yyyy-MM-dd'T'HH:mm:ss.fffffff'00Z '", CultureInfo.InvariantCulture);
        stream.Name.CopyTo(line.AsSpan(at));
        at += stream.Name.Length;
        (whole ? " F "u8 : " P "u8).CopyTo(line.AsSpan(at));
        at += 3;
        content.CopyTo(line.AsSpan(at));
        at += content.Length;
        line[at++] = (byte)'\n';
        try
        {
            if (logSize + at > MaximumLogSize)
            {
                TurnOver();
            }

            Files.Write(log, line.AsSpan(0, at));
            logSize += at;
        }
        catch (KernelException)
        {
            // A full disk costs the log, not the app.
        }
    }

    void TurnOver()
    {
        Files.Rename(FileDescriptor.WorkingDirectory, PathOf(app), FileDescriptor.WorkingDirectory, PathOf(app) + ".1");
        log.Dispose();
        log = OpenLog(app, OpenFlags.Truncate);
        logSize = 0;
    }

    static string PathOf(string app) => $"/rkt/logs/{app}.log";

    static FileDescriptor OpenLog(string app, OpenFlags flags) => Files.Open(PathOf(app), OpenFlags.WriteOnly | OpenFlags.Create | flags, 0x1A0);

    sealed class Stream(byte[] name, FileDescriptor target)
    {
        public byte[] Name { get; } = name;

        public FileDescriptor? Source { get; set; }

        public FileDescriptor? Target { get; set; } = target;

        /// <summary>The app has written something that was not read yet.</summary>
        public bool HasInput { get; set; }

        /// <summary>The last line in the log has no end yet.</summary>
        public bool IsPartial { get; set; }
    }

    sealed class AppEnds(FileDescriptor[] ends) : IDisposable
    {
        public void Dispose() => Array.ForEach(ends, end => end.Dispose());
    }
}
