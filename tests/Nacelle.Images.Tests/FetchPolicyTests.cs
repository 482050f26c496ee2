using System.Text;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Which image a name stands for: pull policies, platforms, kinds of manifest.</summary>
public sealed class FetchPolicyTests
{
    [Fact]
    public async Task New_asks_nobody_for_what_is_here()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(TestImage.OfNoise(1, 10));
        await scratch.FetchAsync(registry.Name);
        int before = registry.Requests.Count;
        await scratch.FetchAsync(registry.Name);
        Assert.Equal(before, registry.Requests.Count);
    }

    [Theory]
    [InlineData(1L << 46)]
    [InlineData(long.MaxValue)]
    public async Task An_image_larger_than_the_free_disk_is_refused_early_and_leaves_nothing(long size)
    {
        using var scratch = new StoreScratch();
        var image = TestImage.OfNoise(1, 10, 20);
        var manifest = Encoding.UTF8.GetString(image.Blobs[image.Manifest.Digest.ToString()]);
        manifest = image.Layers.Aggregate(manifest, (text, layer) => text.Replace($"\"size\":{layer.Size}", $"\"size\":{size}", StringComparison.Ordinal));
        using var registry = new FaultyRegistry(image) { Root = image.Put(Encoding.UTF8.GetBytes(manifest), MediaTypes.OciManifest) };
        var refused = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Contains("bytes, and the file system of", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(registry.Requests, request => image.Layers.Any(layer => FaultyRegistry.IsBlob(request, layer)));
        Assert.Empty(scratch.Downloads());
        Assert.Empty(scratch.Store.List());
    }

    [Fact]
    public async Task Never_asks_nobody_at_all()
    {
        using var scratch = new StoreScratch();
        scratch.Options = scratch.Options with { PullPolicy = PullPolicy.Never };
        using var registry = new FaultyRegistry(TestImage.OfNoise(1, 10));
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Contains("not in the store", failure.Message, StringComparison.Ordinal);
        Assert.Empty(registry.Requests);
    }

    [Fact]
    public async Task Update_asks_for_the_digest_and_fetches_only_what_changed()
    {
        using var scratch = new StoreScratch();
        scratch.Options = scratch.Options with { PullPolicy = PullPolicy.Update };
        var image = new TestImage().AddLayer(TestImage.Tar("a", [1])).Finish();
        using var registry = new FaultyRegistry(image);
        var first = await scratch.FetchAsync(registry.Name);
        int before = registry.Requests.Count;
        await scratch.FetchAsync(registry.Name);
        Assert.Equal(["GET", "HEAD"], registry.Requests.Skip(before).Select(request => request.Method));

        image.AddLayer(TestImage.Tar("b", [2])).Finish();
        registry.Root = image.Manifest;
        before = registry.Requests.Count;
        var second = await scratch.FetchAsync(registry.Name);
        Assert.NotEqual(first.Id, second.Id);
        scratch.RequireWhole(second, image);
        Assert.DoesNotContain(registry.Requests.Skip(before), request => FaultyRegistry.IsBlob(request, image.Layers[0]));
    }

    [Fact]
    public async Task A_layer_that_was_lost_is_unpacked_again_from_its_blob()
    {
        using var scratch = new StoreScratch();
        var image = TestImage.OfNoise(1, 1000);
        using var registry = new FaultyRegistry(image);
        await scratch.FetchAsync(registry.Name);
        scratch.Store.Layers.Remove(image.DiffIds[0]);
        int before = registry.Requests.Count;
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), image);
        Assert.DoesNotContain(registry.Requests.Skip(before), request => FaultyRegistry.IsBlob(request, image.Layers[0]));
    }

    [Theory]
    [InlineData(MediaTypes.OciIndex)]
    [InlineData(MediaTypes.DockerIndex)]
    public async Task The_platform_is_chosen_from_an_index(string mediaType)
    {
        using var scratch = new StoreScratch();
        var (image, amd64, arm64) = TwoPlatforms(mediaType);
        using var registry = new FaultyRegistry(image) { Root = image.Manifest };
        registry.Root = image.Put(image.Blobs.Values.Last(), mediaType);
        var mine = Platform.Current.Architecture == "arm64" ? arm64 : amd64;
        var other = Platform.Current.Architecture == "arm64" ? amd64 : arm64;
        Assert.Equal(mine, (await scratch.FetchAsync(registry.Name)).Id);

        scratch.Options = scratch.Options with { Platform = other == arm64 ? Platform.Parse("linux/arm64/v8") : Platform.Parse("linux/amd64") };
        var stored = await scratch.FetchAsync(registry.Name);
        Assert.Equal(other, stored.Id);
        Assert.Equal(registry.Root.Digest, stored.Resolved);

        scratch.Options = scratch.Options with { Platform = Platform.Parse("linux/s390x") };
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Equal($"{registry.Name} has no image for linux/s390x; it has linux/amd64, linux/arm64/v8", failure.Message);
    }

    [Fact]
    public async Task An_image_for_another_machine_is_refused_by_name()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(new TestImage().AddLayer(TestImage.Tar("a", [1])).Finish(architecture: "s390x"));
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Contains("is for linux/s390x", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LayerFormat.Tar)]
    [InlineData(LayerFormat.TarGzip)]
    [InlineData(LayerFormat.TarZstd)]
    public async Task Layers_come_in_all_compressions(LayerFormat format)
    {
        using var scratch = new StoreScratch();
        var image = new TestImage().AddLayer(TestImage.Tar("a", TestImage.Noise(1, 100_000)), format).Finish();
        using var registry = new FaultyRegistry(image);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), image);
        Assert.Equal(TestImage.Noise(1, 100_000), File.ReadAllBytes($"{scratch.Path}/layers/{image.DiffIds[0].FileName}/rootfs/a"));
    }

    [Fact]
    public async Task The_same_layer_twice_is_fetched_once()
    {
        using var scratch = new StoreScratch();
        var tar = TestImage.Tar("a", TestImage.Noise(1, 1000));
        var image = new TestImage().AddLayer(tar).AddLayer(TestImage.Tar("b", [1])).AddLayer(tar).AddLayer(tar, LayerFormat.Tar).Finish();
        using var registry = new FaultyRegistry(image);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), image);
        Assert.Single(registry.Requests, request => FaultyRegistry.IsBlob(request, image.Layers[0]));
    }

    [Fact]
    public async Task An_image_without_layers_is_an_image()
    {
        using var scratch = new StoreScratch();
        var image = new TestImage().Finish();
        using var registry = new FaultyRegistry(image);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), image);
    }

    [Fact]
    public async Task A_layer_that_does_not_unpack_to_its_diff_id_is_refused_and_not_kept()
    {
        using var scratch = new StoreScratch();
        var honest = new TestImage().AddLayer(TestImage.Tar("a", [1])).Finish();
        var image = new TestImage().AddLayer(TestImage.Tar("b", [2]));
        var config = image.Put(honest.Blobs[honest.Config.Digest.ToString()], MediaTypes.OciConfig);
        var manifest = new ImageManifest { MediaType = MediaTypes.OciManifest, Config = config, Layers = image.Layers };
        using var registry = new FaultyRegistry(image);
        registry.Root = image.Put(manifest.ToJson(), MediaTypes.OciManifest);
        var failure = await Assert.ThrowsAsync<LayerException>(() => scratch.FetchAsync(registry.Name));
        Assert.Contains(honest.DiffIds[0].ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Empty(scratch.Store.Layers.List());
        Assert.Empty(scratch.Downloads());
        Assert.Null(scratch.Store.Content.SizeOf(image.Layers[0].Digest));
        Assert.Empty(scratch.Store.List());
    }

    [Theory]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws", """{"schemaVersion":1}""", "schema 1")]
    [InlineData("text/html", "<html>", "is not JSON")]
    [InlineData(MediaTypes.OciManifest, """{"schemaVersion":2,"config":{}}""", "config.mediaType: is missing")]
    public async Task A_bad_manifest_is_refused_by_digest_or_name(string mediaType, string content, string complaint)
    {
        using var scratch = new StoreScratch();
        var image = new TestImage();
        var root = image.Put(Encoding.UTF8.GetBytes(content), mediaType);
        using var registry = new FaultyRegistry(image) { Root = root };
        var failure = await Assert.ThrowsAsync<SpecException>(() => scratch.FetchAsync(registry.Name));
        Assert.StartsWith("manifest ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(complaint, failure.Message, StringComparison.Ordinal);
        Assert.Empty(scratch.Store.Content.List());
    }

    [Fact]
    public async Task A_reference_by_digest_is_held_to_it()
    {
        using var scratch = new StoreScratch();
        var image = TestImage.OfNoise(1, 10);
        using var registry = new FaultyRegistry(image);
        var name = ImageName.Parse($"docker://{registry.Host}/a@{image.Manifest.Digest}");
        scratch.RequireWhole(await scratch.FetchAsync(name), image);

        using var liar = new FaultyRegistry(image, (request, _, answer) => request.Path.Contains("/manifests/", StringComparison.Ordinal)
            ? new ServerAnswer(200, image.Blobs[image.Manifest.Digest.ToString()], ("Content-Type", MediaTypes.OciManifest)) : answer);
        var failure = await Assert.ThrowsAsync<ImageException>(() =>
            scratch.FetchAsync(ImageName.Parse($"docker://{liar.Host}/a@{image.Config.Digest}")));
        Assert.Contains($"expected {image.Config.Digest}, got {image.Manifest.Digest}", failure.Message, StringComparison.Ordinal);
    }

    static (TestImage Image, Digest Amd64, Digest Arm64) TwoPlatforms(string mediaType)
    {
        var image = new TestImage().AddLayer(TestImage.Tar("a", [1])).Finish(architecture: "amd64");
        var amd64 = image.Manifest;
        var arm64 = image.Finish(architecture: "arm64").Manifest;
        var index = new ImageIndex
        {
            MediaType = mediaType,
            Manifests =
            [
                amd64 with { Platform = Platform.Parse("linux/amd64") },
                arm64 with { Platform = new Platform { Os = "linux", Architecture = "arm64", Variant = "v8" } },
            ],
        };
        image.Put(index.ToJson(), mediaType);
        return (image, amd64.Digest, arm64.Digest);
    }
}
