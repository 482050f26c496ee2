using Nacelle.Linux;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images.Tests;

/// <summary>A store in a directory of its own, gone after the test.</summary>
sealed class StoreScratch : IDisposable
{
    public StoreScratch()
    {
        Scratch = new LayerScratch();
        Store = ImageStore.Open(Path);
    }

    public LayerScratch Scratch { get; }

    public ImageStore Store { get; private set; }

    public string Path => Scratch.Path + "/data";

    public FetchProgress Progress { get; } = new();

    /// <summary>As a patient person would have it, but for the pauses.</summary>
    public FetchOptions Options { get; set; } = new()
    {
        Policy = TrustPolicy.Parse("""{"default":[{"type":"insecureAcceptAnything"}]}"""u8, "the test's policy"),
        Registry = new RegistryOptions { InsecureHttp = true, RetryDelay = TimeSpan.FromMilliseconds(1), StallTimeout = TimeSpan.FromSeconds(20) },
    };

    public Task<StoredImage> FetchAsync(ImageName name, CancellationToken cancellation = default) =>
        new ImageFetcher(Store, Options, Progress).FetchAsync(name, cancellation);

    /// <summary>Fails unless the image is in the store, whole and as it was made, and nothing lies about.</summary>
    public void RequireWhole(StoredImage stored, TestImage image)
    {
        foreach (var descriptor in image.Layers.Append(image.Config).Append(stored.Manifest))
        {
            var content = Store.Content.Read(descriptor.Digest);
            Assert.Equal(descriptor.Digest, ContentStore.DigestOf(content, descriptor.Digest.Algorithm));
        }

        Assert.All(image.DiffIds, diffId => Assert.True(Store.Layers.Contains(diffId), $"layer {diffId} is not unpacked"));
        Assert.Equal(stored.Id, Store.Find(ImageName.Parse(stored.Name))?.Id);
        Assert.Empty(Downloads());
        RequireNothingHalfUnpacked();
    }

    public void RequireNothingHalfUnpacked() =>
        Assert.DoesNotContain(Directory.GetFileSystemEntries(Path + "/layers"), path => System.IO.Path.GetFileName(path).StartsWith('.'));

    public string[] Downloads() => Directory.Exists(Path + "/ingest") ? Directory.GetFiles(Path + "/ingest") : [];

    public void Dispose()
    {
        Store.Dispose();
        Scratch.Dispose();
    }
}
