using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images;

/// <summary>Where an image comes from: a registry, a layout, an archive.</summary>
public abstract class ImageSource : IAsyncDisposable
{
    // An index may point to further ones; real images stop at the first.
    const int DeepestIndex = 3;

    /// <summary>What stands before the name of an image in the store, where it could be taken for one elsewhere.</summary>
    public const string StorePrefix = "store:";

    /// <summary>Opens what a person means: an image in the store (<c>store:</c> and a name or id, or these alone), or one elsewhere, by its scheme.</summary>
    /// <param name="store">Its content must be held as long as the source is used.</param>
    /// <exception cref="ImageException">There is no such image.</exception>
    /// <exception cref="SpecException">It is no name.</exception>
    public static async Task<ImageSource> OpenAsync(string text, ImageStore store, RegistryOptions options, CancellationToken cancellation)
    {
        bool inStore = text.StartsWith(StorePrefix, StringComparison.Ordinal) || !HasScheme(text);
        string name = text.StartsWith(StorePrefix, StringComparison.Ordinal) ? text[StorePrefix.Length..] : text;
        if (inStore)
        {
            return new StoreSource(store, store.Find(name)
                ?? throw new ImageException($"image not found: {name} is not in the store{(HasScheme(name) ? "" : $"; for one elsewhere say where, as in docker://{name}")}"));
        }

        return name.StartsWith("docker:", StringComparison.Ordinal) ? await OpenFirstAsync(name, options, cancellation)
            : ImageName.Parse(name) is ImageFile file ? await FileSource.OpenAsync(file, store, cancellation)
            : throw new ImageException($"{name} is an appc image: only those in the store can be read so; fetch it first");
    }

    static bool HasScheme(string text) => text.StartsWith('/') || text.StartsWith('.') || text.Contains("://", StringComparison.Ordinal)
        || text.StartsWith("docker:", StringComparison.Ordinal) || text.StartsWith("oci:", StringComparison.Ordinal)
        || text.StartsWith("oci-archive:", StringComparison.Ordinal) || text.StartsWith("docker-archive:", StringComparison.Ordinal);

    /// <summary>Opens the first of the images that a name may mean which is there.</summary>
    static async Task<ImageSource> OpenFirstAsync(string name, RegistryOptions options, CancellationToken cancellation)
    {
        var candidates = options.Registries.Candidates(name);
        foreach (var candidate in candidates.SkipLast(1))
        {
            var source = new RegistrySource(candidate, options);
            try
            {
                await source.ResolveAsync(cancellation);
                return source;
            }
            catch (ImageException)
            {
                await source.DisposeAsync();
            }
        }

        return new RegistrySource(candidates[^1], options);
    }

    /// <summary>The signatures of sigstore that lie beside a manifest; only registries have any.</summary>
    public virtual Task<IReadOnlyList<SigstoreSignature>> ReadSigstoreSignaturesAsync(Digest manifest, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<SigstoreSignature>>([]);

    /// <summary>The document that the image's name stands for: a manifest or an index, its bytes checked against the descriptor.</summary>
    public abstract Task<SourceDocument> ResolveAsync(CancellationToken cancellation);

    /// <summary>A manifest, index or config that another document points to, checked.</summary>
    public abstract Task<SourceDocument> ReadAsync(Descriptor descriptor, CancellationToken cancellation);

    /// <summary>Opens a blob for reading from <paramref name="offset"/> on, or from an earlier position where the source cannot do that.</summary>
    public abstract Task<BlobBody> OpenAsync(Descriptor descriptor, long offset, CancellationToken cancellation);

    /// <summary>The manifest for a platform: the document itself, or what its index leads to.</summary>
    /// <exception cref="ImageException">There is none.</exception>
    public async Task<SourceDocument> ChooseAsync(SourceDocument document, Platform platform, CancellationToken cancellation)
    {
        for (int depth = 0; MediaTypes.IsIndex(document.Descriptor.MediaType); depth++)
        {
            string where = $"index {document.Descriptor.Digest}";
            ImageIndex index;
            try
            {
                index = ImageIndex.Parse(document.Content);
            }
            catch (SpecException failure)
            {
                throw failure.In(where);
            }

            if (depth == DeepestIndex)
            {
                throw new ImageException($"{where}: indexes are nested more than {DeepestIndex} deep");
            }

            var chosen = index.Choose(platform) ?? throw new ImageException($"{Name} has no image for {platform}; it has {Offered(index)}");
            document = await ReadAsync(chosen, cancellation);
        }

        return document;
    }

    static string Offered(ImageIndex index)
    {
        var platforms = index.Manifests.Where(entry => entry.Platform is { Os: not "unknown" }).Select(entry => entry.Platform!.ToString()).Distinct().ToList();
        return platforms.Count == 0 ? "none" : string.Join(", ", platforms);
    }

    /// <summary>The name under which the image is stored.</summary>
    public abstract ImageName Name { get; }

    public abstract ValueTask DisposeAsync();
}

public sealed record SourceDocument(Descriptor Descriptor, byte[] Content);

/// <summary>A blob's content from <paramref name="Offset"/> on.</summary>
public sealed record BlobBody(Stream Stream, long Offset) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
