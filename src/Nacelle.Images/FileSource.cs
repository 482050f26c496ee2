using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>An image in a file or directory of this machine.</summary>
abstract class FileSource(ImageFile name, NamedFiles files) : ImageSource
{
    /// <summary>Finds out what lies at the path and opens it.</summary>
    /// <exception cref="ImageException">Nothing, or nothing that we know.</exception>
    public static async Task<FileSource> OpenAsync(ImageFile name, ImageStore store, CancellationToken cancellation)
    {
        var descriptor = Files.TryOpen(FileDescriptor.WorkingDirectory, name.Path, OpenFlags.ReadOnly, out var error);
        if (descriptor is null)
        {
            throw new ImageException($"image not found: open {name.Path}: {error}");
        }

        NamedFiles? files = null;
        try
        {
            bool isDirectory = Files.Status(descriptor).Kind == FileKind.Directory;
            if (isDirectory && name.Format is ImageFileFormat.OciArchive or ImageFileFormat.DockerArchive)
            {
                throw new ImageException($"{name.Path} is a directory, not an archive");
            }

            files = isDirectory ? new DirectoryFiles(descriptor) : await ArchiveFiles.OpenAsync(descriptor, store, cancellation);
            var format = files.SizeOf("oci-layout") is not null ? isDirectory ? ImageFileFormat.OciLayout : ImageFileFormat.OciArchive
                : files.SizeOf("manifest.json") is not null && !isDirectory ? ImageFileFormat.DockerArchive
                : throw new ImageException($"{name.Path} is no image: neither an OCI layout (with a file oci-layout) nor an archive of docker save (with manifest.json)");
            if (name.Format == ImageFileFormat.DockerArchive && files.SizeOf("manifest.json") is not null)
            {
                format = ImageFileFormat.DockerArchive;
            }

            return format == ImageFileFormat.DockerArchive
                ? new DockerArchiveSource(name with { Format = format }, files)
                : new LayoutSource(name with { Format = format }, files);
        }
        catch
        {
            files?.Dispose();
            descriptor.Dispose();
            throw;
        }
    }

    public override ImageName Name => name;

    protected ImageFile File => name;

    protected NamedFiles Entries => files;

    public override ValueTask DisposeAsync()
    {
        files.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Reads a document of bounded size.</summary>
    protected byte[] ReadDocument(string path)
    {
        long size = files.SizeOf(path) ?? throw new ImageException($"{name.Path} lacks {path}");
        if (size > ImageDocuments.LargestDocument)
        {
            throw new SpecException("", $"is {size} bytes long; at most {ImageDocuments.LargestDocument} are read").In($"{name.Path}/{path}");
        }

        var content = new byte[size];
        using var stream = files.Open(path, 0);
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>The digest of a file's content.</summary>
    protected async Task<Digest> HashAsync(string path, CancellationToken cancellation)
    {
        await using var stream = files.Open(path, 0);
        return Digest.Sha256(await SHA256.HashDataAsync(stream, cancellation));
    }
}
