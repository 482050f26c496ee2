using System.Text;

namespace Nacelle.Specs.Tests;

public sealed class ImageDocumentTests
{
    const string D = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const string Config = $$"""{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{D}}","size":2}""";
    const string Layer = $$"""{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{{D}}","size":7}""";

    [Fact]
    public void A_manifest_tells_config_and_layers()
    {
        var manifest = ImageManifest.Parse(Bytes($$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":[{{{Layer}}},{{{Layer}}}],"unknown":{"a":[1]}}"""));
        Assert.Equal(2, manifest.Config.Size);
        Assert.Equal([7, 7], manifest.Layers.Select(layer => layer.Size));
    }

    [Fact]
    public void A_manifest_survives_writing_and_reading()
    {
        var manifest = ImageManifest.Parse(Bytes($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{Layer}}]}"""));
        Assert.Equal(Encoding.UTF8.GetString(manifest.ToJson()), Encoding.UTF8.GetString(ImageManifest.Parse(manifest.ToJson()).ToJson()));
    }

    [Fact]
    public void A_Docker_manifest_is_translated_into_OCI_words()
    {
        var docker = ImageManifest.Parse(Bytes($$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.DockerManifest}}",
             "config":{"mediaType":"{{MediaTypes.DockerConfig}}","digest":"{{D}}","size":2},
             "layers":[{"mediaType":"{{MediaTypes.DockerLayerGzip}}","digest":"{{D}}","size":7},{"mediaType":"{{MediaTypes.DockerLayer}}","digest":"{{D}}","size":8}]}
            """));
        var oci = docker.ToOci();
        Assert.Equal(MediaTypes.OciManifest, oci.MediaType);
        Assert.Equal(MediaTypes.OciConfig, oci.Config.MediaType);
        Assert.Equal([MediaTypes.OciLayerGzip, MediaTypes.OciLayer], oci.Layers.Select(layer => layer.MediaType));
    }

    [Theory]
    [InlineData("""{"schemaVersion":2""", "is not JSON")]
    [InlineData("[]", "wrong type")]
    [InlineData("null", "null")]
    [InlineData($$"""{"schemaVersion":3,"config":{{Config}},"layers":[]}""", "schemaVersion: 3")]
    [InlineData("""{"schemaVersion":1,"fsLayers":[]}""", "schema 1")]
    [InlineData("""{"schemaVersion":2,"layers":[]}""", "config.mediaType: is missing")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{Layer}},{"mediaType":"x"}]}""", "layers[1].digest: is missing")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"x","digest":"sha256:12","size":1}]}""", "layers[0].digest: 'sha256:12' is not a digest")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"x","digest":"{{D}}","size":-5}]}""", "layers[0].size: -5 is negative")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"x","digest":"{{D}}","size":"big"}]}""", "layers[0].size: is of the wrong type")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"text/plain","digest":"{{D}}","size":1}]}""", "layers[0].mediaType: 'text/plain' is not a layer")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"{{D}}","size":1}]}""", "do not distribute")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar","digest":"{{D}}","size":1}]}""", "do not distribute")]
    [InlineData($$"""{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{{D}}","size":1},"layers":[]}""", "config.mediaType: 'application/vnd.cncf.helm.config.v1+json'")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"manifests":[]}""", "manifests: a manifest has none")]
    [InlineData($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","config":{{Config}},"layers":[]}""", "mediaType")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"config":{{Config}},"layers":[]}""", "twice")]
    public void A_bad_manifest_is_refused_by_path(string json, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<SpecException>(() => ImageManifest.Parse(Bytes(json))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_document_of_more_than_four_mebibytes_is_refused() =>
        Assert.Contains("at most 4194304", Assert.Throws<SpecException>(() => ImageManifest.Parse(new byte[(4 << 20) + 1])).Message, StringComparison.Ordinal);

    [Fact]
    public void An_image_with_more_layers_than_can_be_stacked_is_refused()
    {
        string layers = string.Join(',', Enumerable.Repeat(Layer, 501));
        var failure = Assert.Throws<SpecException>(() => ImageManifest.Parse(Bytes($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{layers}}]}""")));
        Assert.Equal("layers: there are 501; at most 500 can be stacked", failure.Message);
    }

    [Fact]
    public void An_index_with_layers_is_refused() =>
        Assert.Throws<SpecException>(() => ImageIndex.Parse("""{"schemaVersion":2,"manifests":[],"layers":[]}"""u8));

    [Theory]
    [InlineData(MediaTypes.OciIndex, """{"schemaVersion":2}""", MediaTypes.OciIndex)]
    [InlineData("application/json", $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.DockerManifest}}"}""", MediaTypes.DockerManifest)]
    public void The_kind_of_document_is_told_by_what_came_with_it_or_by_itself(string given, string json, string expected) =>
        Assert.Equal(expected, ImageDocuments.MediaTypeOf(Bytes(json), given, "manifest x"));

    [Theory]
    [InlineData("text/html", """{"schemaVersion":2}""", "manifest x: mediaType: 'text/html' is neither")]
    [InlineData("application/json", """{"schemaVersion":1}""", "schema 1")]
    [InlineData(MediaTypes.OciManifest, $$"""{"mediaType":"{{MediaTypes.OciIndex}}"}""", "announced")]
    public void A_document_of_unclear_kind_is_refused(string given, string json, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<SpecException>(() => ImageDocuments.MediaTypeOf(Bytes(json), given, "manifest x")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_config_tells_how_to_run_the_image()
    {
        var config = ImageConfig.Parse(Bytes($$$"""
            {"architecture":"amd64","os":"linux","created":"2026-01-01T00:00:00Z",
             "config":{"User":"redis:redis","Env":["A=1"],"Entrypoint":["/e"],"Cmd":null,"WorkingDir":"/data","Volumes":{"/data":{}},
                       "ExposedPorts":{"6379/tcp":{}},"Labels":{"a":"b"},"StopSignal":"SIGTERM","Healthcheck":{"Test":["NONE"]}},
             "rootfs":{"type":"layers","diff_ids":["{{{D}}}"]},"history":[{"created_by":"x","empty_layer":true}]}
            """));
        Assert.Equal("redis:redis", config.Config.User);
        Assert.Equal(["A=1"], config.Config.Env);
        Assert.Equal(["/e"], config.Config.Entrypoint);
        Assert.Empty(config.Config.Cmd);
        Assert.Equal("/data", config.Config.WorkingDir);
        Assert.Equal(["/data"], config.Config.Volumes);
        Assert.Equal(["6379/tcp"], config.Config.ExposedPorts);
        Assert.Equal("b", config.Config.Labels["a"]);
        Assert.Equal("SIGTERM", config.Config.StopSignal);
        Assert.Equal(D, Assert.Single(config.Rootfs.DiffIds).ToString());
        Assert.True(Assert.Single(config.History).EmptyLayer);
    }

    [Fact]
    public void A_config_without_a_section_to_run_has_nothing_in_it() =>
        Assert.Empty(ImageConfig.Parse("""{"rootfs":{"type":"layers","diff_ids":[]},"config":null}"""u8).Config.Env);

    [Theory]
    [InlineData("""{"rootfs":{"type":"files"}}""", "rootfs.type: 'files'")]
    [InlineData("""{}""", "rootfs.type: is missing")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":["x"]}}""", "rootfs.diff_ids[0]: 'x' is not a digest")]
    [InlineData("""{"rootfs":{"type":"layers"},"config":{"Cmd":"/bin/sh"}}""", "config.Cmd: \"/bin/sh\" is not an array")]
    public void A_bad_config_is_refused_by_path(string json, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<SpecException>(() => ImageConfig.Parse(Bytes(json))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_config_with_another_number_of_layers_than_the_manifest_is_refused()
    {
        var manifest = ImageManifest.Parse(Bytes($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{Layer}}]}"""));
        var config = ImageConfig.Parse("""{"rootfs":{"type":"layers","diff_ids":[]}}"""u8);
        Assert.Equal("rootfs.diff_ids: there are 0 for 1 layers in the manifest", Assert.Throws<SpecException>(() => config.RequireLayersOf(manifest)).Message);
    }

    static byte[] Bytes(string json) => Encoding.UTF8.GetBytes(json);
}
