using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Writes files into a tar archive, always the same bytes for the same files; the archive gets its name when it is whole, and until then has none.</summary>
sealed class ArchiveWriter : IDisposable
{
    const int BufferSize = 256 * 1024;

    readonly string path;
    readonly bool overwrite;
    readonly FileDescriptor parent;
    readonly FileDescriptor file;
    readonly TarWriter writer;
    readonly HashSet<string> names = new(StringComparer.Ordinal);
    readonly byte[] buffer = new byte[BufferSize];

    /// <param name="overwrite">Whether a file that is there already gives way.</param>
    /// <exception cref="ImageException">Something is at the path already.</exception>
    public ArchiveWriter(string path, bool overwrite = false)
    {
        (this.path, this.overwrite) = (path, overwrite);
        if (!overwrite && Files.Exists(FileDescriptor.WorkingDirectory, path))
        {
            throw Exists();
        }

        parent = Files.Open(Path.GetDirectoryName(Path.GetFullPath(path))!, OpenFlags.ReadOnly | OpenFlags.Directory);
        file = Files.Open(parent, ".", OpenFlags.Unnamed | OpenFlags.ReadWrite, mode: 0x1A4);
        writer = new TarWriter(new DescriptorStream(file));
    }

    /// <returns>False when a file of that name has been written.</returns>
    public bool Contains(string name) => names.Contains(name);

    public void Add(string name, byte[] content) => Add(name, new MemoryStream(content), content.Length);

    /// <param name="content">Of that length from its position on.</param>
    /// <exception cref="IOException">It is shorter.</exception>
    public void Add(string name, Stream content, long length, CancellationToken cancellation = default)
    {
        if (!names.Add(name))
        {
            return;
        }

        writer.Begin(new TarFile { Name = name, Kind = TarEntryKind.File, Mode = 0x1A4, Size = length });
        for (long left = length; left > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = content.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (count == 0)
            {
                throw new IOException($"the content ended {left} bytes early");
            }

            writer.Write(buffer.AsSpan(0, count));
            left -= count;
        }
    }

    public void Finish()
    {
        writer.Finish();
        Files.Synchronize(file);
        var name = Path.GetFileName(path);
        if (overwrite)
        {
            Files.TryUnlink(parent, name);
        }

        switch (Files.TryLinkDescriptor(file, parent, name))
        {
            case Errno.None: return;
            case Errno.EEXIST: throw Exists();
            case var error: throw new KernelException($"create {path}", error);
        }
    }

    public void Dispose()
    {
        file.Dispose();
        parent.Dispose();
    }

    ImageException Exists() => new($"{path} exists already: an archive is not changed; remove it, or write another");
}
