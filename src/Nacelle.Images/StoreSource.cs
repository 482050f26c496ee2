using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>An image in the store, as it was fetched.</summary>
/// <param name="store">Its content must be held (<see cref="ImageStore.HoldContent"/>) as long as this is used.</param>
sealed class StoreSource(ImageStore store, StoredImage image) : ImageSource
{
    public override ImageName Name => ImageName.Parse(image.Name);

    public override Task<SourceDocument> ResolveAsync(CancellationToken cancellation) => image.IsAci
        ? throw new ImageException($"{image.DisplayName} is an appc image: registries and OCI layouts take none; see nacelle image export")
        : ReadAsync(image.Manifest, cancellation);

    public override Task<SourceDocument> ReadAsync(Descriptor descriptor, CancellationToken cancellation) =>
        Task.FromResult(new SourceDocument(descriptor, store.Content.Read(descriptor.Digest)));

    public override Task<BlobBody> OpenAsync(Descriptor descriptor, long offset, CancellationToken cancellation)
    {
        var file = store.Content.TryOpen(descriptor.Digest) ?? throw new ImageException($"the store has no blob {descriptor.Digest}: fetch {image.DisplayName} again");
        long size = Files.Status(file).Size;
        return Task.FromResult(new BlobBody(new FileRangeStream(file, offset, size - offset, owned: true), offset));
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
