using System.Text;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary><c>image push</c>, <c>copy</c> and <c>inspect</c> from the command line.</summary>
public sealed class ImageProgramTests
{
    const string Http = "--insecure-options=http,image";

    static readonly TestImage Image = TestImage.OfNoise(61, 100_000, 2_000);

    [Fact]
    public void An_image_goes_from_a_layout_into_the_store_and_to_a_registry_and_is_inspected_in_all_places()
    {
        using var scratch = new LayerScratch();
        using var registry = new DockerRegistry(scratch);
        Image.WriteLayout(scratch.Path + "/layout", "t");
        string name = $"{registry.Host}/some/image:1", printed = $"{Image.Manifest.Digest}\n";
        Assert.Equal(new ProgramResult(0, printed, ""), Run(scratch, "image", "copy", Http, $"oci:{scratch.Path}/layout:t", $"store:{name}"));
        Assert.Equal(new ProgramResult(0, printed, ""), Run(scratch, "image", "push", Http, name));
        Assert.Equal(new ProgramResult(0, printed, ""), Run(scratch, "image", "push", Http, "--chunk-size=40k", $"{Image.Manifest.Digest}", $"{registry.Host}/another/one:2"));
        string manifest = Encoding.UTF8.GetString(Image.Blobs[$"{Image.Manifest.Digest}"]), config = Encoding.UTF8.GetString(Image.Blobs[$"{Image.Config.Digest}"]);
        foreach (string place in new[] { name, $"docker://{name}", $"oci:{scratch.Path}/layout:t", $"docker://{registry.Host}/another/one:2" })
        {
            Assert.Equal(new ProgramResult(0, manifest, ""), Run(scratch, "image", "inspect", Http, "--raw", place));
            Assert.Equal(new ProgramResult(0, config, ""), Run(scratch, "image", "inspect", Http, "--raw", "--config", place));
            Assert.Contains($"\"Digest\":\"{Image.Manifest.Digest}\"", Run(scratch, "image", "inspect", Http, "--format=json", place).Output, StringComparison.Ordinal);
            Assert.StartsWith("{\n\t\"os\": \"linux\",\n", Run(scratch, "image", "inspect", Http, "--config", place).Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Blobs_that_another_repository_is_known_to_have_are_mounted()
    {
        using var scratch = new LayerScratch();
        using var registry = new DockerRegistry(scratch);
        Image.WriteLayout(scratch.Path + "/layout", "t");
        scratch.Shell($"skopeo copy -q --dest-tls-verify=false oci:layout:t docker://{registry.Host}/some/image:1");
        Assert.Equal(0, Run(scratch, "fetch", Http, $"docker://{registry.Host}/some/image:1").ExitCode);
        var pushed = Run(scratch, "image", "push", Http, "--debug", $"{registry.Host}/some/image:1", $"{registry.Host}/another/one:1");
        Assert.All(Image.Layers.Append(Image.Config), blob => Assert.Contains($"{blob.Digest}: mounted from some/image", pushed.Errors, StringComparison.Ordinal));
    }

    [Fact]
    public void A_password_is_wanted_and_found_for_pushing_too()
    {
        using var scratch = new LayerScratch();
        Assert.SkipUnless(File.Exists("/usr/bin/htpasswd"), "htpasswd is not installed");
        scratch.Shell("htpasswd -Bbc passwords user secret 2>/dev/null; mkdir docker");
        using var registry = new DockerRegistry(scratch, more: $"auth: {{htpasswd: {{realm: x, path: {scratch.Path}/passwords}}}}");
        Image.WriteLayout(scratch.Path + "/layout", "t");
        string[] arguments = ["image", "copy", Http, $"oci:{scratch.Path}/layout:t", $"docker://{registry.Host}/some/image:1"];
        var environment = ("DOCKER_CONFIG", scratch.Path + "/docker");
        var refused = FetchProgram.Wait(FetchProgram.StartCommand(scratch.Path + "/data", arguments, environment));
        Assert.Equal((254, $"nacelle: registry {registry.Host} denies access to some/image: authentication required (401)\n"), (refused.ExitCode, refused.Errors));
        File.WriteAllText(scratch.Path + "/docker/config.json", "{\"auths\":{\"" + registry.Host + "\":{\"auth\":\"dXNlcjpzZWNyZXQ=\"}}}");
        Assert.Equal((0, $"{Image.Manifest.Digest}\n"), FetchProgram.Wait(FetchProgram.StartCommand(scratch.Path + "/data", arguments, environment)) is var let ? (let.ExitCode, let.Output) : default);
    }

    [Theory]
    [InlineData("name an image of the store, and perhaps where it shall go; see nacelle help image push", "image", "push")]
    [InlineData("the image 'nothing' is not in the store", "image", "push", "nothing")]
    [InlineData("image not found: nothing is not in the store; for one elsewhere say where, as in docker://nothing", "image", "push", "nothing", "127.0.0.1:1/a")]
    [InlineData("image not found: nothing is not in the store; for one elsewhere say where, as in docker://nothing", "image", "inspect", "nothing")]
    [InlineData("name a source and a destination; see nacelle help image copy", "image", "copy", "a")]
    [InlineData("--compression is gzip or zstd, not 'xz'", "image", "push", "--compression=xz", "a", "b")]
    [InlineData("--compression-level goes with --compression", "image", "push", "--compression-level=3", "a", "b")]
    [InlineData("--compression-level is a number from 0 to 9, not '12'", "image", "push", "--compression=gzip", "--compression-level=12", "a", "b")]
    [InlineData("--annotation: 'x' is not NAME=VALUE", "image", "push", "--annotation=x", "a", "b")]
    [InlineData("--manifest-format is oci or docker, not 'x'", "image", "push", "--manifest-format=x", "a", "b")]
    [InlineData("--chunk-size is a number from 0 to 1073741824, not '-1'", "image", "push", "--chunk-size=-1k", "a", "b")]
    [InlineData("cannot reach registry 127.0.0.1:1: connection refused", "image", "inspect", "docker://127.0.0.1:1/a")]
    public void A_mistake_is_told_in_one_line(string line, params string[] arguments)
    {
        using var scratch = new LayerScratch();
        Assert.Equal(new ProgramResult(254, "", $"nacelle: {line}\n"), Run(scratch, arguments));
    }

    static ProgramResult Run(LayerScratch scratch, params string[] arguments) => FetchProgram.Wait(FetchProgram.StartCommand(scratch.Path + "/data", arguments));
}
