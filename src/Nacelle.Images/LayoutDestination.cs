using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>An OCI image layout in a directory, made if need be; what is in it stays, but for another image of the same name.</summary>
/// <remarks>OCI image specification 1.1, image-layout.md.</remarks>
sealed class LayoutDestination : ImageDestination
{
    const int BufferSize = 256 * 1024;

    readonly ImageFile name;
    readonly FileDescriptor directory;

    /// <exception cref="ImageException">The path is something else.</exception>
    public LayoutDestination(ImageFile name)
    {
        this.name = name.SelectedDigest is null ? name : throw new ImageException($"{name}: an image is written under a tag; write oci:{name.Path}:TAG");
        Files.EnsureDirectories(name.Path).Dispose();
        directory = Files.Open(name.Path, OpenFlags.ReadOnly | OpenFlags.Directory);
        try
        {
            if (Files.TryReadText(directory, "oci-layout") is { } layout)
            {
                ImageLayoutFile.Parse(System.Text.Encoding.UTF8.GetBytes(layout));
            }
            else if (Directories.List(directory).Count > 0)
            {
                throw new ImageException($"{name.Path} is not empty, and no OCI layout: it has no file oci-layout");
            }
            else
            {
                Files.Replace(directory, "oci-layout", new ImageLayoutFile().ToJson());
                Files.Replace(directory, "index.json", new ImageIndex().ToJson());
            }

            Files.EnsureDirectory(directory, "blobs");
        }
        catch (SpecException problem)
        {
            directory.Dispose();
            throw problem.In($"{name.Path}/oci-layout");
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    public override int Parallelism => 2;

    public override async Task PutBlobAsync(Descriptor blob, ContentOpening open, LayerProgress bar, CancellationToken cancellation)
    {
        using var blobs = OpenBlobs(blob.Digest);
        if (Files.TryStatus(blobs, blob.Digest.Hex, out _)?.Size == blob.Size)
        {
            return;
        }

        using var file = Files.Open(blobs, ".", OpenFlags.Unnamed | OpenFlags.ReadWrite, mode: 0x1A4);
        await using var content = await open(0, cancellation);
        var buffer = new byte[BufferSize];
        for (int count; (count = await content.ReadAsync(buffer, cancellation)) > 0; bar.Done += count)
        {
            Files.Write(file, buffer.AsSpan(0, count));
        }

        Files.TryUnlink(blobs, blob.Digest.Hex);
        try
        {
            Files.LinkDescriptor(file, blobs, blob.Digest.Hex);
        }
        catch (KernelException taken) when (taken.Errno == Errno.EEXIST)
        {
            // The same layer twice in the image: the other was as quick.
        }
    }

    public override Task PutManifestAsync(SourceDocument manifest, bool isNamed, CancellationToken cancellation)
    {
        using (var blobs = OpenBlobs(manifest.Descriptor.Digest))
        {
            Files.Replace(blobs, manifest.Descriptor.Digest.Hex, manifest.Content);
        }

        if (isNamed)
        {
            AddToIndex(manifest.Descriptor with
            {
                Annotations = name.Selector is null ? null : new Dictionary<string, string> { [Descriptor.ReferenceName] = name.Selector },
            });
        }

        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        directory.Dispose();
        return ValueTask.CompletedTask;
    }

    FileDescriptor OpenBlobs(Digest digest)
    {
        Files.EnsureDirectory(directory, $"blobs/{digest.Algorithm}");
        return Files.Open(directory, $"blobs/{digest.Algorithm}", OpenFlags.ReadOnly | OpenFlags.Directory);
    }

    void AddToIndex(Descriptor entry)
    {
        FileLock.Acquire(directory, LockKind.Exclusive);
        ImageIndex index;
        try
        {
            index = ImageIndex.Parse(Files.ReadAll(directory, "index.json"));
        }
        catch (SpecException problem)
        {
            throw problem.In($"{name.Path}/index.json");
        }

        // One image per name; and of images without a name, each once.
        var others = index.Manifests.Where(one => name.Selector is null
            ? one.Digest != entry.Digest : one.Annotations?.GetValueOrDefault(Descriptor.ReferenceName) != name.Selector);
        Files.Replace(directory, "index.json", (index with { Manifests = [.. others, entry] }).ToJson());
    }
}
