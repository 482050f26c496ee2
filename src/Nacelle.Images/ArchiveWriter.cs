using System.Formats.Tar;
using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Writes files into a tar archive, always the same bytes for the same files; the archive gets its name when it is whole.</summary>
sealed class ArchiveWriter : IDisposable
{
    const long LargestUstar = 8L << 30;

    readonly string path;
    readonly string directory;
    readonly string temporary;
    readonly FileStream stream;
    readonly TarWriter writer;
    readonly HashSet<string> names = new(StringComparer.Ordinal);
    bool finished;

    /// <exception cref="ImageException">Something is at the path already: an archive is not changed.</exception>
    public ArchiveWriter(string path)
    {
        this.path = path;
        directory = Path.GetDirectoryName(path)!;
        temporary = Path.Combine(directory, $".{Path.GetFileName(path)}.{Environment.ProcessId}");
        if (Files.Exists(FileDescriptor.WorkingDirectory, path))
        {
            throw new ImageException($"{path} exists already: an archive is not changed; remove it, or write another");
        }

        // By descriptor, for our own words when it fails.
        using (Files.Open(temporary, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, mode: 0x1A4))
        {
            stream = new FileStream(temporary, FileMode.Open, FileAccess.Write, FileShare.None, 1 << 20);
        }

        writer = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true);
    }

    /// <returns>False when a file of that name has been written.</returns>
    public bool Contains(string name) => names.Contains(name);

    public void Add(string name, byte[] content) => Add(name, new MemoryStream(content), content.Length);

    /// <param name="content">Of that length from its position on.</param>
    public void Add(string name, Stream content, long length)
    {
        if (names.Add(name))
        {
            System.Formats.Tar.TarEntry entry = length < LargestUstar
                ? new UstarTarEntry(TarEntryType.RegularFile, name) : new PaxTarEntry(TarEntryType.RegularFile, name);
            entry.ModificationTime = DateTimeOffset.UnixEpoch;
            entry.Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            entry.DataStream = new LengthStream(content, length);
            writer.WriteEntry(entry);
        }
    }

    public void Finish()
    {
        writer.Dispose();
        stream.Flush(flushToDisk: true);
        Files.Rename(FileDescriptor.WorkingDirectory, temporary, FileDescriptor.WorkingDirectory, path);
        finished = true;
    }

    public void Dispose()
    {
        writer.Dispose();
        stream.Dispose();
        if (!finished)
        {
            Files.TryUnlink(FileDescriptor.WorkingDirectory, temporary);
        }
    }

    /// <summary>Tells the tar writer the length of what comes from the network, and fails where it was wrong.</summary>
    sealed class LengthStream(Stream source, long length) : Stream
    {
        long position;

        public override bool CanRead => true;

        public override bool CanSeek => true; // for the length alone

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get => position; set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            int count = source.Read(buffer[..(int)Math.Min(buffer.Length, length - position)]);
            if (count == 0 && position < length && buffer.Length > 0)
            {
                throw new IOException($"the content ended {length - position} bytes early");
            }

            position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
