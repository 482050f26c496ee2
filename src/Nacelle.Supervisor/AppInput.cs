using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>What an app reads: from those who are attached, one after the other as they write.</summary>
/// <param name="target">Leads to the app: a pipe that does not block, or the outer side of a terminal; becomes this object's.</param>
/// <param name="once">The first writer's end is the app's end of input.</param>
sealed class AppInput(FileDescriptor target, bool once) : IDisposable
{
    readonly byte[] chunk = new byte[AppStream.ChunkSize];
    readonly List<FileDescriptor> sources = [];
    int start, end;

    /// <param name="source">Does not block; becomes this object's.</param>
    public void Add(FileDescriptor source) => sources.Add(source);

    public void AddTo(PollSet set)
    {
        if (start < end)
        {
            set.Add(target, PollEvents.Writable, Pass);
            return;
        }

        foreach (var source in sources)
        {
            set.Add(source, PollEvents.Readable, () => Read(source));
        }
    }

    void Read(FileDescriptor source)
    {
        if (start < end || source.IsClosed)
        {
            return;
        }

        try
        {
            int count = Files.TryRead(source, chunk);
            if (count == 0)
            {
                End(source);
            }
            else if (count > 0)
            {
                (start, end) = (0, count);
                Pass();
            }
        }
        catch (KernelException)
        {
            End(source); // it was closed with something of ours unread
        }
    }

    void Pass()
    {
        try
        {
            start += Math.Max(0, Files.TryWrite(target, chunk.AsSpan(start, end - start)));
        }
        catch (KernelException)
        {
            start = end; // the app reads no more
        }
    }

    void End(FileDescriptor source)
    {
        sources.Remove(source);
        source.Dispose();
        if (once)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        sources.ForEach(source => source.Dispose());
        sources.Clear();
        start = end;
        target.Dispose();
    }
}
