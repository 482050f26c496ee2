using System.Formats.Tar;
using Microsoft.Win32.SafeHandles;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Files by name: those of a directory, or those in an archive.</summary>
abstract class NamedFiles : IDisposable
{
    /// <summary>In bytes; null when there is no such file.</summary>
    public abstract long? SizeOf(string path);

    /// <summary>A stream over the file's content from the offset on.</summary>
    public abstract Stream Open(string path, long offset);

    public abstract void Dispose();
}

/// <remarks>What lies in the directory may come from anywhere, so no link in it leads outside.</remarks>
sealed class DirectoryFiles(FileDescriptor directory) : NamedFiles
{
    public override long? SizeOf(string path)
    {
        using var file = Files.TryOpen(directory, path, OpenFlags.ReadOnly, out _, resolve: ResolveFlags.Beneath | ResolveFlags.NoMagicLinks);
        return file is not null && Files.Status(file) is { Kind: FileKind.Regular } status ? status.Size : null;
    }

    public override Stream Open(string path, long offset)
    {
        var file = Files.Open(directory, path, OpenFlags.ReadOnly, resolve: ResolveFlags.Beneath | ResolveFlags.NoMagicLinks);
        return new FileRangeStream(file, offset, Files.Status(file).Size - offset, owned: true);
    }

    public override void Dispose() => directory.Dispose();
}

/// <summary>The files in a tar archive, found without reading their content.</summary>
/// <remarks>Names are all that is wanted of the headers here, so the platform's reader serves; layers are read by <see cref="TarReader"/>.</remarks>
sealed class ArchiveFiles : NamedFiles
{
    // An image has some ten files per layer at most.
    const int MostEntries = 20_000;

    readonly FileDescriptor archive;
    readonly Dictionary<string, (long Offset, long Size)> files = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> links = new(StringComparer.Ordinal);

    ArchiveFiles(FileDescriptor archive) => this.archive = archive;

    /// <summary>Reads the headers. A compressed archive is first decompressed into a file without a name in the store's file system.</summary>
    /// <param name="archive">Belongs to the result from now on.</param>
    public static async Task<ArchiveFiles> OpenAsync(FileDescriptor archive, ImageStore store, CancellationToken cancellation)
    {
        var plain = await DecompressAsync(archive, store, cancellation);
        var result = new ArchiveFiles(plain ?? archive);
        try
        {
            result.ReadHeaders();
        }
        catch (Exception failure) when (failure is InvalidDataException or FormatException or EndOfStreamException or ArgumentException or OverflowException)
        {
            plain?.Dispose();
            throw new ImageException($"{archive} is not a tar archive, or damaged", failure);
        }

        if (plain is not null)
        {
            archive.Dispose();
        }

        return result;
    }

    public override long? SizeOf(string path) => Find(path)?.Size;

    public override Stream Open(string path, long offset) =>
        Find(path) is { } file ? new FileRangeStream(archive, file.Offset + offset, file.Size - offset, owned: false)
            : throw new ImageException($"{archive} lacks {path}");

    public override void Dispose() => archive.Dispose();

    (long Offset, long Size)? Find(string path)
    {
        // docker save of old wrote a layer that it had written before as a link to that one.
        for (int hops = 0; hops < 8; hops++)
        {
            if (files.TryGetValue(path, out var file))
            {
                return file;
            }

            if (!links.TryGetValue(path, out path!))
            {
                break;
            }
        }

        return null;
    }

    void ReadHeaders()
    {
        using var stream = new FileRangeStream(archive, 0, Files.Status(archive).Size, owned: false);
        using var reader = new System.Formats.Tar.TarReader(stream);
        for (int entries = 0; reader.GetNextEntry() is { } entry; entries++)
        {
            if (entries == MostEntries)
            {
                throw new ImageException($"{archive} holds more than {MostEntries} files; that is no image");
            }

            string path = Normalize(entry.Name);
            switch (entry.EntryType)
            {
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                    files[path] = (entry.DataOffset, entry.Length);
                    break;
                case TarEntryType.SymbolicLink:
                    links[path] = Normalize(path.LastIndexOf('/') is >= 0 and var slash ? $"{path[..slash]}/{entry.LinkName}" : entry.LinkName);
                    break;
                case TarEntryType.HardLink:
                    links[path] = Normalize(entry.LinkName);
                    break;
            }
        }
    }

    /// <summary>Only looked up, never opened: what it leads to is another name in the archive or nothing.</summary>
    static string Normalize(string path) => Path.GetFullPath("/" + path)[1..];

    static async Task<FileDescriptor?> DecompressAsync(FileDescriptor archive, ImageStore store, CancellationToken cancellation)
    {
        using var source = new FileRangeStream(archive, 0, Files.Status(archive).Size, owned: false);
        var head = new byte[4];
        if (source.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || head is not ([0x1F, 0x8B, ..] or [0x28, 0xB5, 0x2F, 0xFD]))
        {
            return null;
        }

        source.Position = 0;
        return await Task.Run(() =>
        {
            var plain = store.Content.CreateUnnamed();
            try
            {
                using var stream = Decompression.Open(source);
                var buffer = new byte[256 * 1024];
                for (int count; (count = stream.Read(buffer)) > 0;)
                {
                    cancellation.ThrowIfCancellationRequested();
                    Files.Write(plain, buffer.AsSpan(0, count));
                }

                return plain;
            }
            catch (LayerException failure)
            {
                plain.Dispose();
                throw new ImageException($"{archive}: {failure.Rule}", failure);
            }
            catch
            {
                plain.Dispose();
                throw;
            }
        }, cancellation);
    }
}

/// <summary>Reads a stretch of a file at its own pace, whoever else reads the same descriptor.</summary>
public sealed class FileRangeStream(FileDescriptor file, long start, long length, bool owned) : Stream
{
    readonly SafeFileHandle handle = new(file.Number, ownsHandle: false);
    long position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get => position; set => position = value; }

    public override int Read(Span<byte> buffer)
    {
        int count = RandomAccess.Read(handle, buffer[..(int)Math.Clamp(length - position, 0, buffer.Length)], start + position);
        position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override long Seek(long offset, SeekOrigin origin) =>
        position = offset + (origin == SeekOrigin.Begin ? 0 : origin == SeekOrigin.Current ? position : length);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && owned)
        {
            file.Dispose();
        }

        base.Dispose(disposing);
    }
}
