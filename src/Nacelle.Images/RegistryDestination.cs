using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>A repository of a registry, to which an image is pushed.</summary>
/// <param name="others">The repositories of the same registry that are known to hold a blob.</param>
sealed class RegistryDestination(
    ImageReference reference, RegistryOptions registry, PushOptions options, Func<Digest, IEnumerable<string>> others, Action<string>? note) : ImageDestination
{
    readonly RegistryRepository repository = new(reference.Host, reference.Repository, registry);

    public override int Parallelism => options.Parallelism;

    public override Task PutBlobAsync(Descriptor blob, ContentOpening open, LayerProgress bar, CancellationToken cancellation) =>
        repository.PutBlobAsync(blob, (offset, stop) => open(offset, stop), options, others(blob.Digest), bar, note, cancellation);

    public override Task PutManifestAsync(SourceDocument manifest, bool isNamed, CancellationToken cancellation)
    {
        var digest = manifest.Descriptor.Digest;
        return isNamed && reference.Digest is { } wanted && wanted != digest
            ? throw new ImageException($"{reference.Name} names another image than the one to push, which is {digest}")
            : repository.PutManifestAsync(isNamed && reference.Tag is { } tag ? tag : digest.ToString(), manifest, cancellation);
    }

    public override ValueTask DisposeAsync()
    {
        repository.Dispose();
        return ValueTask.CompletedTask;
    }
}
