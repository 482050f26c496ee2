using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Copies between registry, store, layouts and archives: what we write, Debian's skopeo, umoci and podman read; what they write, we read.</summary>
public sealed class ImageCopyTests
{
    static readonly TestImage Image = TestImage.OfNoise(81, 200_000, 3_000);

    // Its runroot must be short.
    const string Podman = "run=$(mktemp -d); trap 'rm -rf $run' EXIT; podman=\"podman --root $PWD/p --runroot $run --storage-driver vfs\"";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_pushed_skopeo_and_podman_pull()
    {
        using var scratch = new StoreScratch();
        using var registry = new DockerRegistry(scratch.Scratch);
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        var copied = await CopyAsync(scratch, $"oci:{scratch.Scratch.Path}/layout:t", $"docker://{registry.Host}/some/image:1");
        Assert.Equal(Image.Manifest.Digest, copied.Digest);
        scratch.Scratch.Shell($"skopeo copy -q --preserve-digests --src-tls-verify=false docker://{registry.Host}/some/image:1 dir:copy && test $(sha256sum < copy/manifest.json | cut -d' ' -f1) = {copied.Digest.Hex}");
        Assert.SkipUnless(File.Exists("/usr/bin/podman") && Environment.IsPrivilegedProcess, "podman as root is wanted");
        scratch.Scratch.Shell($"{Podman}; $podman pull -q --tls-verify=false {registry.Host}/some/image:1; $podman rmi -fa >/dev/null");
    }

    [Fact]
    public async Task A_layout_is_read_by_umoci_and_skopeo_and_keeps_its_other_images()
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        string from = $"oci:{scratch.Scratch.Path}/layout:t", to = $"oci:{scratch.Scratch.Path}/out";
        await CopyAsync(scratch, from, to + ":one");
        await CopyAsync(scratch, from, to + ":two");
        await CopyAsync(scratch, from, to + ":one");
        Assert.Equal("one\ntwo\n", scratch.Scratch.Shell("umoci list --layout out | sort"));
        scratch.Scratch.Shell("umoci unpack --rootless --image out:two bundle; skopeo copy -q oci:out:one dir:copy");
        Assert.Equal(TestImage.Noise(82, 3_000), File.ReadAllBytes(scratch.Scratch.Path + "/bundle/rootfs/file1"));
    }

    [Theory]
    [InlineData("oci-archive", "")]
    [InlineData("oci-archive", ":tag")]
    [InlineData("docker-archive", ":example.com/some/image:tag")]
    public async Task An_archive_is_read_by_skopeo_and_by_us_and_is_always_the_same(string kind, string name)
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        await CopyAsync(scratch, $"oci:{scratch.Scratch.Path}/layout:t", $"{kind}:{scratch.Scratch.Path}/one.tar{name}");
        await CopyAsync(scratch, $"oci:{scratch.Scratch.Path}/layout:t", $"{kind}:{scratch.Scratch.Path}/two.tar{name}");
        scratch.Scratch.Shell($"cmp one.tar two.tar; skopeo copy -q {kind}:one.tar{name} dir:copy");
        var stored = await scratch.FetchAsync(ImageName.Parse($"{kind}:{scratch.Scratch.Path}/one.tar{name}"));
        Assert.All(Image.DiffIds, diffId => Assert.True(scratch.Store.Layers.Contains(diffId)));
        Assert.Equal(Image.Config.Digest, stored.Config);
        var failure = await Assert.ThrowsAsync<ImageException>(() => CopyAsync(scratch, $"oci:{scratch.Scratch.Path}/layout:t", $"{kind}:{scratch.Scratch.Path}/one.tar{name}"));
        Assert.StartsWith($"{scratch.Scratch.Path}/one.tar exists already", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("oci-archive:saved.tar", "podman save -q --format=oci-archive")]
    [InlineData("docker-archive:saved.tar", "podman save -q --format=docker-archive")]
    public async Task What_podman_saves_is_read(string name, string command)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/podman") && Environment.IsPrivilegedProcess, "podman as root is wanted");
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        scratch.Scratch.Shell($"{Podman}; id=$($podman pull -q oci:layout:t); $podman {command["podman ".Length..]} -o saved.tar $id; $podman rmi -fa >/dev/null");
        string path = name.Replace(":saved", $":{scratch.Scratch.Path}/saved", StringComparison.Ordinal);
        Assert.Equal(Image.Config.Digest, (await scratch.FetchAsync(ImageName.Parse(path))).Config);
        Assert.All(Image.DiffIds, diffId => Assert.True(scratch.Store.Layers.Contains(diffId)));
    }

    [Theory]
    [InlineData(LayerFormat.TarZstd, null)]
    [InlineData(LayerFormat.TarZstd, 10)]
    [InlineData(LayerFormat.TarGzip, 9)]
    [InlineData(LayerFormat.TarGzip, 0)]
    public async Task Layers_compressed_anew_unpack_to_the_same_and_come_out_the_same_twice(LayerFormat format, int? level)
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        var options = new CopyOptions { Compression = format, CompressionLevel = level };
        string from = $"oci:{scratch.Scratch.Path}/layout:t";
        var first = await CopyAsync(scratch, from, $"oci:{scratch.Scratch.Path}/one:t", options);
        var second = await CopyAsync(scratch, from, $"oci:{scratch.Scratch.Path}/two:t", options);
        Assert.Equal(first.Digest, second.Digest);
        Assert.NotEqual(Image.Manifest.Digest, first.Digest);
        var stored = await scratch.FetchAsync(ImageName.Parse($"oci:{scratch.Scratch.Path}/one:t"));
        Assert.All(scratch.Store.ReadManifest(stored).Layers, layer => Assert.Equal(format, MediaTypes.LayerFormatOf(layer.MediaType, "")));
        Assert.All(Image.DiffIds, diffId => Assert.True(scratch.Store.Layers.Contains(diffId)));
        scratch.Scratch.Shell("umoci unpack --rootless --image one:t bundle 2>/dev/null || skopeo copy -q oci:one:t dir:copy");
        Assert.Empty(scratch.Downloads());
    }

    [Fact]
    public async Task Annotations_are_added_and_manifests_converted_to_Dockers_words_and_back()
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        string from = $"oci:{scratch.Scratch.Path}/layout:t";
        using var registry = new DockerRegistry(scratch.Scratch);
        var annotated = await CopyAsync(scratch, from, $"docker://{registry.Host}/a:1", new CopyOptions { Annotations = new Dictionary<string, string> { ["who"] = "me", ["how"] = "so" } });
        Assert.Contains("\"how\":\"so\",\"who\":\"me\"", scratch.Scratch.Shell($"skopeo inspect --raw --tls-verify=false docker://{registry.Host}/a:1"), StringComparison.Ordinal);
        var docker = await CopyAsync(scratch, $"docker://{registry.Host}/a:1", $"docker://{registry.Host}/d:1", new CopyOptions { Format = ManifestFormat.Docker });
        Assert.Equal(MediaTypes.DockerManifest, docker.MediaType);
        Assert.Contains(MediaTypes.DockerLayerGzip, scratch.Scratch.Shell($"skopeo inspect --raw --tls-verify=false docker://{registry.Host}/d:1"), StringComparison.Ordinal);
        var back = await CopyAsync(scratch, $"docker://{registry.Host}/d:1", $"docker://{registry.Host}/o:1", new CopyOptions { Format = ManifestFormat.Oci });
        Assert.Equal(Image.Manifest.Digest, back.Digest);
        Assert.NotEqual(annotated.Digest, back.Digest);
        var kept = await Assert.ThrowsAsync<ImageException>(() => CopyAsync(scratch, $"docker://{registry.Host}/d:1", $"docker://{registry.Host}/o:2", new CopyOptions { Format = ManifestFormat.Oci, PreserveDigests = true }));
        Assert.EndsWith("and --preserve-digests forbids that", kept.Message, StringComparison.Ordinal);
        var zstd = await Assert.ThrowsAsync<SpecException>(() => CopyAsync(scratch, from, $"docker://{registry.Host}/z:1", new CopyOptions { Format = ManifestFormat.Docker, Compression = LayerFormat.TarZstd }));
        Assert.EndsWith("Docker's manifests know no zstd; use --compression=gzip", zstd.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_index_is_copied_whole_with_all_platforms_and_one_image_without()
    {
        using var scratch = new StoreScratch();
        using var registry = new DockerRegistry(scratch.Scratch);
        var other = TestImage.OfNoise(91, 5_000);
        other.Finish(architecture: "s390x");
        var index = new ImageIndex
        {
            MediaType = MediaTypes.OciIndex,
            Manifests = [Image.Manifest with { Platform = Platform.Current }, other.Manifest with { Platform = Platform.Parse("linux/s390x") }],
        };
        var both = TestImage.OfNoise(81, 200_000, 3_000);
        foreach (var (digest, blob) in other.Blobs)
        {
            both.Blobs[digest] = blob;
        }

        both.WriteIndexLayout(scratch.Scratch.Path + "/layout", "t", index);
        string from = $"oci:{scratch.Scratch.Path}/layout:t";
        var all = await CopyAsync(scratch, from, $"docker://{registry.Host}/some/image:all", new CopyOptions { AllPlatforms = true, PreserveDigests = true });
        Assert.Equal(MediaTypes.OciIndex, all.MediaType);
        scratch.Scratch.Shell($"skopeo copy -q --all --src-tls-verify=false docker://{registry.Host}/some/image:all dir:copy");
        Assert.Equal(Image.Manifest.Digest, (await CopyAsync(scratch, from, $"docker://{registry.Host}/some/image:one")).Digest);
        Assert.Equal(other.Manifest.Digest, (await CopyAsync(scratch, from, $"docker://{registry.Host}/some/image:two", new CopyOptions { Platform = Platform.Parse("linux/s390x") })).Digest);
        var none = await Assert.ThrowsAsync<ImageException>(() => CopyAsync(scratch, from, $"docker://{registry.Host}/x:1", new CopyOptions { Platform = Platform.Parse("linux/riscv64") }));
        Assert.Contains("has no image for linux/riscv64", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_store_is_a_source_and_a_destination()
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        await CopyAsync(scratch, $"oci:{scratch.Scratch.Path}/layout:t", "store:example.com/some/image:1");
        Assert.Equal("docker://example.com/some/image:1", Assert.Single(scratch.Store.List()).Name);
        await CopyAsync(scratch, "example.com/some/image:1", "store:example.com/other:2");
        Assert.Equal(2, scratch.Store.List().Count);
        await CopyAsync(scratch, $"store:{Image.Manifest.Digest}", $"oci:{scratch.Scratch.Path}/out:t");
        scratch.Scratch.Shell("skopeo copy -q oci:out:t dir:copy");
        var missing = await Assert.ThrowsAsync<ImageException>(() => CopyAsync(scratch, "nothing", $"oci:{scratch.Scratch.Path}/out:t"));
        Assert.Equal("image not found: nothing is not in the store; for one elsewhere say where, as in docker://nothing", missing.Message);
    }

    [Fact]
    public async Task A_damaged_layer_is_not_written()
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        string layer = $"{scratch.Scratch.Path}/layout/blobs/sha256/{Image.Layers[0].Digest.Hex}";
        var bytes = File.ReadAllBytes(layer);
        bytes[^1] ^= 1;
        File.WriteAllBytes(layer, bytes);
        var failure = await Assert.ThrowsAsync<ImageException>(() => CopyAsync(scratch, $"oci:{scratch.Scratch.Path}/layout:t", $"oci:{scratch.Scratch.Path}/out:t"));
        Assert.StartsWith($"blob: digest mismatch: expected {Image.Layers[0].Digest}, got sha256:", failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists($"{scratch.Scratch.Path}/out/blobs/sha256/{Image.Layers[0].Digest.Hex}"));
        await Assert.ThrowsAsync<ImageException>(() => CopyAsync(scratch, $"oci:{scratch.Scratch.Path}/layout:t", $"oci-archive:{scratch.Scratch.Path}/out.tar"));
        Assert.Empty(Directory.GetFiles(scratch.Scratch.Path, "*out.tar*"));
    }

    [Fact]
    public async Task An_inspection_says_what_skopeos_says()
    {
        using var scratch = new StoreScratch();
        using var registry = new DockerRegistry(scratch.Scratch);
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        await CopyAsync(scratch, $"oci:{scratch.Scratch.Path}/layout:t", $"docker://{registry.Host}/some/image:1");
        await using var source = await ImageSource.OpenAsync($"docker://{registry.Host}/some/image:1", scratch.Store, scratch.Options.Registry, Cancellation);
        var ours = System.Text.Json.Nodes.JsonNode.Parse((await ImageInspection.ReadAsync(source, Platform.Current, withTags: true, Cancellation)).ToJson(indented: true))!.AsObject();
        var theirs = System.Text.Json.Nodes.JsonNode.Parse(scratch.Scratch.Shell($"skopeo inspect --tls-verify=false docker://{registry.Host}/some/image:1"))!.AsObject();
        foreach (string field in new[] { "Name", "Digest", "RepoTags", "DockerVersion", "Architecture", "Os", "Layers" })
        {
            Assert.Equal(theirs[field]?.ToJsonString(), ours[field]?.ToJsonString());
        }
    }

    static Task<Descriptor> CopyAsync(StoreScratch scratch, string from, string to, CopyOptions? options = null) =>
        new ImageCopier(scratch.Store, options ?? new CopyOptions(), scratch.Options, new PushOptions(), scratch.Progress).CopyAsync(from, to, Cancellation);
}
