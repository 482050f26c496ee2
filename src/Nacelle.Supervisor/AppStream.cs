using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>What an app writes to one stream: to its log, to the journal, and to whoever listens.</summary>
/// <remarks>
/// The next chunk is read when all listeners have taken the last one, so a slow one holds the app up, as a pipe would, but never this process.
/// </remarks>
/// <param name="name">For the log.</param>
/// <param name="source">Where the app's output arrives: a pipe, or the outer side of a terminal; becomes this object's.</param>
sealed class AppStream(string name, FileDescriptor source, AppLog? log, AppJournal? journal) : IDisposable
{
    // A pipe that poll(2) calls writable takes PIPE_BUF bytes at once without blocking (pipe(7)).
    public const int ChunkSize = 4096;

    readonly byte[] chunk = new byte[ChunkSize];
    readonly List<Listener> listeners = [];
    int length;
    bool finishing, ended, isPartial;

    /// <param name="shared">The file is others' too, and waits: it takes a chunk whole, when it says that it is writable, and stays open afterwards.</param>
    public void Add(FileDescriptor target, bool shared) => listeners.Add(new Listener(target, shared) { Taken = length });

    /// <summary>All that was written has been taken by everybody, and no more will come.</summary>
    public bool IsDone => ended && !listeners.Exists(listener => listener.Taken < length);

    /// <summary>Says that the app's processes are gone: what is there now is all.</summary>
    public void Finish() => finishing = true;

    public void AddTo(PollSet set)
    {
        bool waits = !finishing && journal?.IsBehind == true;
        if (waits)
        {
            journal!.AddTo(set);
        }

        foreach (var listener in listeners)
        {
            if (listener.Taken < length)
            {
                set.Add(listener.Target, PollEvents.Writable, () => Pass(listener));
                waits = true;
            }
            else if (!listener.Shared)
            {
                set.Add(listener.Target, PollEvents.None, () => Remove(listener)); // only says when it is gone
            }
        }

        if (waits || ended)
        {
            return;
        }

        if (finishing && Polling.Wait([new PollEntry { Number = source.Number, Wanted = PollEvents.Readable }], 0) == 0)
        {
            End();
            set.WakeAt(0);
            return;
        }

        set.Add(source, PollEvents.Readable, Read);
    }

    void Read()
    {
        if (ended)
        {
            return;
        }

        try
        {
            length = Files.Read(source, chunk);
        }
        catch (KernelException failure) when (failure.Errno == Errno.EIO)
        {
            length = 0; // nobody holds the terminal's inner side any more (pty(7))
        }

        listeners.ForEach(listener => listener.Taken = 0);
        Log(chunk.AsSpan(0, length));
        if (length == 0)
        {
            End();
        }
    }

    /// <summary>A last line without an end gets one, in the log.</summary>
    void End()
    {
        ended = true;
        if (isPartial)
        {
            log?.Write(name, [], whole: true);
            journal?.Write([], whole: true);
            isPartial = false;
        }

        journal?.Finish();
    }

    void Pass(Listener listener)
    {
        try
        {
            var rest = chunk.AsSpan(listener.Taken, length - listener.Taken);
            if (listener.Shared)
            {
                Files.Write(listener.Target, rest);
                listener.Taken = length;
            }
            else
            {
                listener.Taken += Math.Max(0, Files.TryWrite(listener.Target, rest));
            }
        }
        catch (KernelException)
        {
            Remove(listener); // nobody reads any more; the log goes on
        }
    }

    void Remove(Listener listener)
    {
        listeners.Remove(listener);
        listener.Close();
    }

    void Log(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            int end = content.IndexOf((byte)'\n');
            log?.Write(name, end < 0 ? content : content[..end], whole: end >= 0);
            journal?.Write(end < 0 ? content : content[..end], whole: end >= 0);
            isPartial = end < 0;
            content = content[(end < 0 ? content.Length : end + 1)..];
        }
    }

    public void Dispose()
    {
        listeners.ForEach(listener => listener.Close());
        listeners.Clear();
        source.Dispose();
        ended = true;
    }

    sealed class Listener(FileDescriptor target, bool shared)
    {
        public FileDescriptor Target => target;

        public bool Shared => shared;

        /// <summary>How much of the chunk it has.</summary>
        public int Taken { get; set; }

        public void Close()
        {
            if (!shared)
            {
                target.Dispose();
            }
        }
    }
}
