using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images;

/// <summary>Signs images: files of appc images by a signature beside them, images in a registry by claims about their manifests.</summary>
/// <param name="reference">The image in its registry.</param>
/// <param name="identity">The name that signatures state.</param>
/// <remarks>Where the name stands for an index, the index and each manifest that it lists are signed: podman asks about the manifest of its platform, cosign about the index.</remarks>
public sealed class ImageSigning(ImageReference reference, string identity, RegistryOptions options)
{
    /// <summary>Writes <c>PATH.asc</c>, in one step.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="ImageException">The file is no ACI.</exception>
    /// <exception cref="SpecException">Nobody signs.</exception>
    public static string SignAci(string path, OpenPgpSigner signer, CancellationToken cancellation)
    {
        using (AciFile.TryOpen(path) ?? throw new ImageException($"{path} is no appc image"))
        {
            string full = Path.GetFullPath(path);
            var signature = signer.SignFile(full, cancellation);
            using var directory = Files.Open(Path.GetDirectoryName(full)!, OpenFlags.ReadOnly | OpenFlags.Directory);
            Files.Replace(directory, Path.GetFileName(full) + ".asc", signature);
            Files.SynchronizeDirectory(directory);
            return path + ".asc";
        }
    }

    /// <summary>Puts messages of simple signing where registries.d says that those of this image are written.</summary>
    /// <returns>Their paths.</returns>
    /// <exception cref="ImageException">There is no such image, or its signatures lie where only others can write.</exception>
    public async Task<IReadOnlyList<string>> SignSimpleAsync(OpenPgpSigner signer, LookasideConfiguration places, CancellationToken cancellation)
    {
        var address = places.AddressFor(reference, toWrite: true);
        if (!address.IsFile)
        {
            throw new ImageException($"the signatures of {reference} are at {address}, which cannot be written to: name a lookaside-staging directory in registries.d");
        }

        using var repository = new RegistryRepository(reference.Host, reference.Repository, options);
        var written = new List<string>();
        foreach (var manifest in await ManifestsAsync(repository, cancellation))
        {
            var claim = new SignedClaim(manifest, identity).ToJson(SignedClaim.Simple, DateTimeOffset.UtcNow);
            written.Add(LookasideSignatures.Add(address, manifest, signer.SignMessage(claim, cancellation)));
        }

        return written;
    }

    /// <summary>Pushes sigstore signatures beside the manifests, behind those that are there.</summary>
    /// <returns>The tags under which they are.</returns>
    /// <exception cref="ImageException">There is no such image, or the registry does not take them.</exception>
    /// <remarks>github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md. Who signs the same image at the same moment may lose: registries have no locks.</remarks>
    public async Task<IReadOnlyList<string>> SignSigstoreAsync(SigstorePrivateKey key, CancellationToken cancellation)
    {
        using var repository = new RegistryRepository(reference.Host, reference.Repository, options);
        var tags = new List<string>();
        foreach (var manifest in await ManifestsAsync(repository, cancellation))
        {
            var claim = new SignedClaim(manifest, identity).ToJson(SignedClaim.Sigstore, DateTimeOffset.UtcNow);
            var layer = Describe(claim, SigstoreSignature.MediaType) with
            {
                Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { [SigstoreSignature.Annotation] = key.Sign(claim) },
            };
            string tag = SigstoreSignature.TagOf(manifest);
            await AppendAsync(repository, tag, layer, claim, cancellation);
            tags.Add(tag);
        }

        return tags;
    }

    static async Task AppendAsync(RegistryRepository repository, string tag, Descriptor layer, byte[] claim, CancellationToken cancellation)
    {
        var existing = await repository.FindManifestAsync(tag, cancellation);
        var before = existing is null ? new ImageManifest() : Parse(existing.Content, tag);
        IReadOnlyList<Descriptor> layers = [.. before.Layers, layer];

        // A config as of an image, for registries that take nothing else.
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[{{{string.Join(',', layers.Select(one => $"\"{one.Digest}\""))}}}]}}""");
        var configured = Describe(config, MediaTypes.OciConfig);
        await repository.PutBlobAsync(layer, claim, cancellation);
        await repository.PutBlobAsync(configured, config, cancellation);
        var text = (before with { SchemaVersion = 2, MediaType = MediaTypes.OciManifest, Config = configured, Layers = layers }).ToJson();
        await repository.PutManifestAsync(tag, new SourceDocument(Describe(text, MediaTypes.OciManifest), text), cancellation);
    }

    async Task<IReadOnlyList<Digest>> ManifestsAsync(RegistryRepository repository, CancellationToken cancellation)
    {
        var document = await repository.FindManifestAsync(reference.Selector, cancellation) ?? throw new ImageException($"image not found: {reference}");
        try
        {
            return !MediaTypes.IsIndex(document.Descriptor.MediaType) ? [document.Descriptor.Digest]
                : [document.Descriptor.Digest, .. ImageIndex.Parse(document.Content).Manifests.Select(manifest => manifest.Digest).Distinct()];
        }
        catch (SpecException problem)
        {
            throw problem.In($"index {document.Descriptor.Digest}");
        }
    }

    static ImageManifest Parse(byte[] manifest, string tag)
    {
        try
        {
            return ImageManifest.ParseArtifact(manifest);
        }
        catch (SpecException problem)
        {
            throw problem.In($"manifest {tag}");
        }
    }

    static Descriptor Describe(byte[] content, string mediaType) => new() { MediaType = mediaType, Digest = ContentStore.DigestOf(content), Size = content.Length };
}
