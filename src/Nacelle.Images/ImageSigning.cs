using System.Text;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images;

/// <summary>Signs images in a registry as cosign does: the signature lies beside the manifest, under a tag made of its digest.</summary>
/// <remarks>github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md.</remarks>
public static class ImageSigning
{
    /// <summary>Signs the manifest that the name stands for; of an index also those that it lists, because these are what is fetched and checked.</summary>
    /// <returns>The digests that were signed, what the name stands for first.</returns>
    /// <exception cref="ImageException">There is no such image, or the registry does not take the signature.</exception>
    public static async Task<IReadOnlyList<Digest>> SignAsync(ImageReference image, SigstorePrivateKey key, RegistryOptions options, CancellationToken cancellation)
    {
        using var repository = new RegistryRepository(image.Host, image.Repository, options);
        var document = await repository.FindManifestAsync(image.Selector, cancellation) ?? throw new ImageException($"image not found: {image} is not in the registry");
        List<Digest> manifests = [document.Descriptor.Digest];
        if (MediaTypes.IsIndex(document.Descriptor.MediaType))
        {
            manifests.AddRange(ImageIndex.Parse(document.Content).Manifests.Select(manifest => manifest.Digest));
        }

        foreach (var manifest in manifests.Distinct())
        {
            await AddAsync(repository, manifest, new SignedClaim(manifest, SignedReference.Of(image).ToString()), key, cancellation);
        }

        return [.. manifests.Distinct()];
    }

    static async Task AddAsync(RegistryRepository repository, Digest manifest, SignedClaim claim, SigstorePrivateKey key, CancellationToken cancellation)
    {
        var tag = SigstoreSignature.TagOf(manifest);
        var text = claim.ToJson(SignedClaim.Sigstore, DateTimeOffset.UtcNow);
        var layer = Describe(SigstoreSignature.MediaType, text) with { Annotations = new Dictionary<string, string> { [SigstoreSignature.Annotation] = key.Sign(text) } };

        // What others have signed stays.
        var before = await repository.FindManifestAsync(tag, cancellation) is { } found ? ImageManifest.ParseArtifact(found.Content).Layers : [];
        IReadOnlyList<Descriptor> layers = [.. before, layer];
        var hashes = string.Join(',', layers.Select(one => $"\"{one.Digest}\""));
        var config = Encoding.UTF8.GetBytes("""{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[""" + hashes + "]}}");
        var described = Describe(MediaTypes.OciConfig, config);
        await repository.PutBlobAsync(layer, text, cancellation);
        await repository.PutBlobAsync(described, config, cancellation);
        var signatures = new ImageManifest { MediaType = MediaTypes.OciManifest, Config = described, Layers = layers }.ToJson();
        await repository.PutManifestAsync(tag, new SourceDocument(Describe(MediaTypes.OciManifest, signatures), signatures), cancellation);
    }

    static Descriptor Describe(string mediaType, byte[] content) => new() { MediaType = mediaType, Digest = ContentStore.DigestOf(content), Size = content.Length };
}
