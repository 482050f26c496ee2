using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Images from layouts and archives on disk, as skopeo writes them and as nobody should.</summary>
public sealed class FileSourceTests
{
    static readonly TestImage Image = TestImage.OfNoise(21, 50_000, 3_000);

    [Theory]
    [InlineData("oci:{0}/layout:t")]
    [InlineData("oci:{0}/layout")]
    [InlineData("oci:{0}/layout@{1}")]
    [InlineData("{0}/layout")]
    [InlineData("oci-archive:{0}/oci.tar")]
    [InlineData("oci-archive:{0}/oci.tar:t")]
    [InlineData("{0}/oci.tar")]
    [InlineData("{0}/oci.tar.gz")]
    [InlineData("file://{0}/oci.tar.zst")]
    public async Task An_image_layout_is_taken_as_it_is(string pattern)
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        scratch.Scratch.Shell("tar -cf oci.tar -C layout . && gzip -k oci.tar && zstd -q oci.tar");
        var name = ImageName.Parse(string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, scratch.Scratch.Path, Image.Manifest.Digest));
        var stored = await scratch.FetchAsync(name);
        Assert.Equal(Image.Manifest.Digest, stored.Id);
        scratch.RequireWhole(stored, Image);
    }

    [Fact]
    public async Task An_archive_of_docker_save_becomes_a_valid_OCI_image()
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        scratch.Scratch.Shell("skopeo copy -q oci:layout:t docker-archive:docker.tar:some/name:1 && gzip -k docker.tar");
        StoredImage? first = null;
        foreach (string text in new[] { "docker-archive:{0}/docker.tar", "docker-archive:{0}/docker.tar:some/name:1", "{0}/docker.tar", "{0}/docker.tar.gz" })
        {
            var stored = await scratch.FetchAsync(ImageName.Parse(text.Replace("{0}", scratch.Scratch.Path, StringComparison.Ordinal)));
            first ??= stored;
            Assert.Equal(first.Id, stored.Id);
        }

        Assert.Equal(Image.Config.Digest, first!.Config);
        Assert.All(Image.DiffIds, diffId => Assert.True(scratch.Store.Layers.Contains(diffId)));
        Assert.Equal(MediaTypes.OciManifest, first.Manifest.MediaType);
        scratch.Scratch.Shell($"skopeo copy -q oci:data/images:{ImageStore.LayoutNameOf(first)} dir:copy");
    }

    [Fact]
    public async Task Links_between_layers_of_an_archive_are_followed()
    {
        using var scratch = new StoreScratch();
        var tar = TestImage.Tar("a", [1, 2, 3]);
        var image = new TestImage().AddLayer(tar, LayerFormat.Tar).AddLayer(tar, LayerFormat.Tar).Finish();
        var archive = new TarBuilder()
            .Directory("one").Entry('0', "one/layer.tar", tar)
            .Directory("two").Symlink("two/layer.tar", "../one/layer.tar")
            .Entry('0', "config.json", image.Blobs[image.Config.Digest.ToString()])
            .File("manifest.json", """[{"Config":"config.json","RepoTags":null,"Layers":["one/layer.tar","two/layer.tar"]}]""");
        File.WriteAllBytes(scratch.Scratch.Path + "/a.tar", archive.Bytes());
        var stored = await scratch.FetchAsync(ImageName.Parse(scratch.Scratch.Path + "/a.tar"));
        Assert.Equal(2, scratch.Store.ReadManifest(stored).Layers.Count);
    }

    [Theory]
    [InlineData("oci:{0}/layout:other", "image not found: {0}/layout has no 'other'; it has t")]
    [InlineData("oci:{0}/nothing", "image not found: open {0}/nothing: ENOENT")]
    [InlineData("{0}/empty", "{0}/empty is no image: neither an OCI layout (with a file oci-layout) nor an archive of docker save (with manifest.json)")]
    [InlineData("{0}/text", "{0}/text is not a tar archive, or damaged")]
    [InlineData("docker-archive:{0}/layout", "{0}/layout is a directory, not an archive")]
    public async Task What_is_not_there_or_no_image_is_said_in_one_line(string name, string complaint)
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        scratch.Scratch.Shell("mkdir empty; seq 2000 > text");
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(ImageName.Parse(name.Replace("{0}", scratch.Scratch.Path, StringComparison.Ordinal))));
        Assert.Equal(complaint.Replace("{0}", scratch.Scratch.Path, StringComparison.Ordinal), failure.Message);
    }

    [Fact]
    public async Task A_layout_with_several_images_wants_to_know_which()
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "one");
        scratch.Scratch.Shell("skopeo copy -q oci:layout:one oci:layout:two; umoci config --image layout:two --author x");
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(ImageName.Parse($"oci:{scratch.Scratch.Path}/layout")));
        Assert.Contains("say which: it has one, two", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blob_that_is_not_what_its_name_says_is_refused()
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        string path = $"{scratch.Scratch.Path}/layout/blobs/sha256/{Image.Layers[0].Digest.Hex}";
        var content = File.ReadAllBytes(path);
        content[100] ^= 1;
        File.WriteAllBytes(path, content);
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(ImageName.Parse($"oci:{scratch.Scratch.Path}/layout")));
        Assert.Contains($"expected {Image.Layers[0].Digest}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_that_leads_out_of_a_layout_is_not_followed()
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        scratch.Scratch.Shell("mv layout/index.json secret && ln -s ../secret layout/index.json");
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(ImageName.Parse($"oci:{scratch.Scratch.Path}/layout")));
        Assert.Contains("lacks index.json", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_layer_that_umoci_left_without_padding_is_taken()
    {
        using var scratch = new StoreScratch();
        scratch.Scratch.Shell("mkdir in && seq 100 > in/x && umoci init --layout layout && umoci new --image layout:t && umoci insert --image layout:t in /in");
        var stored = await scratch.FetchAsync(ImageName.Parse($"oci:{scratch.Scratch.Path}/layout:t"));
        string layer = Assert.Single(scratch.Store.ReadConfig(stored).Rootfs.DiffIds).FileName;
        scratch.Scratch.Shell($"cmp in/x data/layers/{layer}/rootfs/in/x");
    }

    [Fact]
    public async Task An_archive_cut_off_is_refused()
    {
        using var scratch = new StoreScratch();
        Image.WriteLayout(scratch.Scratch.Path + "/layout", "t");
        scratch.Scratch.Shell("tar -cf oci.tar -C layout . && gzip -k oci.tar && truncate -s -40000 oci.tar && truncate -s -20000 oci.tar.gz");
        foreach (string file in new[] { "oci.tar", "oci.tar.gz" })
        {
            var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(ImageName.Parse($"{scratch.Scratch.Path}/{file}")));
            Assert.Contains(file, failure.Message, StringComparison.Ordinal);
        }

        Assert.Empty(scratch.Store.List());
    }
}
