using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>An image in an OCI image layout, a directory or an archive of one.</summary>
/// <remarks>OCI image specification 1.1, image-layout.md.</remarks>
sealed class LayoutSource(ImageFile name, NamedFiles files) : FileSource(name, files)
{
    const string ContainerdName = "io.containerd.image.name";

    public override Task<SourceDocument> ResolveAsync(CancellationToken cancellation)
    {
        var content = ReadDocument("index.json");
        ImageIndex index;
        try
        {
            ImageLayoutFile.Parse(ReadDocument("oci-layout"));
            index = ImageIndex.Parse(content);
        }
        catch (SpecException failure)
        {
            throw failure.In($"{File.Path}/index.json");
        }

        var chosen = index.Manifests.Where(IsSelected).ToList();
        if (chosen.Count == 1)
        {
            return ReadAsync(chosen[0], cancellation);
        }

        // Several without names are one image for several platforms; several with names are several images.
        var names = index.Manifests.Select(NameOf).OfType<string>().Distinct().ToList();
        if (chosen.Count == 0 || chosen.Select(NameOf).Distinct().Count() > 1)
        {
            string offer = names.Count == 0 ? "it names none" : $"it has {string.Join(", ", names)}";
            throw new ImageException(File.Selector is null
                ? index.Manifests.Count == 0 ? $"image not found: {File.Path} is empty" : $"{File.Path} holds several images; say which: {offer}"
                : $"image not found: {File.Path} has no '{File.Selector.TrimStart('@')}'; {offer}");
        }

        var platforms = new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = chosen }.ToJson();
        return Task.FromResult(new SourceDocument(
            new Descriptor { MediaType = MediaTypes.OciIndex, Digest = ContentStore.DigestOf(platforms), Size = platforms.Length }, platforms));
    }

    public override Task<SourceDocument> ReadAsync(Descriptor descriptor, CancellationToken cancellation)
    {
        var content = ReadDocument(PathOf(descriptor));
        if (ContentStore.DigestOf(content, descriptor.Digest.Algorithm) is var actual && actual != descriptor.Digest)
        {
            throw new ImageException($"{File.Path}/{PathOf(descriptor)}: digest mismatch: expected {descriptor.Digest}, got {actual}");
        }

        if (MediaTypes.IsIndex(descriptor.MediaType) || MediaTypes.IsManifest(descriptor.MediaType))
        {
            ImageDocuments.MediaTypeOf(content, descriptor.MediaType, $"{File.Path}/{PathOf(descriptor)}");
        }

        return Task.FromResult(new SourceDocument(descriptor with { Annotations = null, Platform = null, Size = content.Length }, content));
    }

    public override Task<BlobBody> OpenAsync(Descriptor descriptor, long offset, CancellationToken cancellation)
    {
        string path = PathOf(descriptor);
        long size = Entries.SizeOf(path) ?? throw new ImageException($"{File.Path} lacks {path}");
        return size == descriptor.Size ? Task.FromResult(new BlobBody(Entries.Open(path, offset), offset))
            : throw new ImageException($"{File.Path}/{path} is {size} bytes long, and the manifest says {descriptor.Size}");
    }

    static string PathOf(Descriptor descriptor) => $"blobs/{descriptor.Digest.Algorithm}/{descriptor.Digest.Hex}";

    static string? NameOf(Descriptor descriptor) => descriptor.Annotations?.GetValueOrDefault(Descriptor.ReferenceName);

    bool IsSelected(Descriptor descriptor) =>
        File.SelectedDigest is { } digest ? descriptor.Digest == digest
        : File.Selector is null || NameOf(descriptor) == File.Selector || descriptor.Annotations?.GetValueOrDefault(ContainerdName) == File.Selector;
}
