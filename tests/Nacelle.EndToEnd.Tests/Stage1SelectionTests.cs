namespace Nacelle.EndToEnd.Tests;

/// <summary>Which stage1 a pod gets: rkt's five flags, the configuration, and what is asked of the images.</summary>
public sealed class Stage1SelectionTests : IDisposable
{
    readonly Machine machine = new();

    public Stage1SelectionTests() => Machine.Require("/usr/bin/jq", "/usr/bin/unshare");

    public void Dispose() => machine.Dispose();

    ShellStage1 Shell => new(machine);

    string Stage1Of(string uuid) =>
        System.Text.Json.JsonDocument.Parse(File.ReadAllText($"{machine.Data}/pods/prepared/{uuid}/stage1/manifest")).RootElement.GetProperty("name").GetString()!;

    Result Prepare(params string[] flags) => machine.Nacelle(["prepare", "--quiet", .. flags, TestImages.Busybox]);

    [Fact]
    public void Without_a_word_it_is_the_one_that_comes_with_us()
    {
        Assert.Equal("nacelle/stage1-linux", Stage1Of(Prepare().Output.Trim()));
        Assert.Equal("nacelle/stage1-linux", Stage1Of(Prepare("--stage1-name=nacelle/stage1-linux").Output.Trim()));
    }

    [Fact]
    public void A_file_must_be_signed_unless_told_otherwise()
    {
        var file = Shell.Pack();
        var refused = Prepare($"--stage1-path={file}");
        Assert.Equal(254, refused.ExitCode);
        Assert.Contains("image example.com/stage1-shell is not signed", refused.Errors, StringComparison.Ordinal);
        Assert.Empty(machine.Pods());
        Assert.Equal("example.com/stage1-shell", Stage1Of(Prepare($"--stage1-path={file}", "--insecure-options=image").Output.Trim()));
        Assert.Equal("example.com/stage1-shell", Stage1Of(Prepare($"--stage1-url=file://{file}", "--insecure-options=image").Output.Trim()));
    }

    [Fact]
    public void What_is_in_the_store_is_found_by_name_and_by_id()
    {
        var id = machine.Nacelle("--insecure-options=image", "fetch", "--full", Shell.Pack()).Output.Trim();
        foreach (var flag in (string[])[$"--stage1-hash={id}", $"--stage1-hash={id[..20]}", "--stage1-name=example.com/stage1-shell", "--stage1-name=example.com/stage1-shell:1.0"])
        {
            Assert.Equal("example.com/stage1-shell", Stage1Of(Prepare(flag).Output.Trim()));
        }
    }

    [Fact]
    public void The_directory_for_stage1_images_is_trusted()
    {
        var configuration = Configure($$"""{"rktKind":"paths","rktVersion":"v1","stage1-images":"{{machine.Path}}/stage1-images"}""", "paths.d");
        Directory.CreateDirectory(machine.Path + "/stage1-images");
        var file = Shell.Pack(machine.Path + "/stage1-images");
        Assert.Equal("example.com/stage1-shell", Stage1Of(Prepare(configuration, "--stage1-from-dir=stage1-shell.aci").Output.Trim()));
        Assert.Equal("example.com/stage1-shell", Stage1Of(Prepare(configuration, $"--stage1-path={file}").Output.Trim()));

        // A file that has changed is another image; one that has not is not even read.
        File.Delete(file);
        new ShellStage1(machine).With("interface-version", "7").Pack(machine.Path + "/stage1-images");
        Assert.Contains("wants interface version 7", Prepare(configuration, "--stage1-from-dir=stage1-shell.aci").Errors, StringComparison.Ordinal);
        Assert.Contains($"there is no stage1 image other.aci in {machine.Path}/stage1-images", Prepare(configuration, "--stage1-from-dir=other.aci").Errors, StringComparison.Ordinal);
        Assert.Contains("name a file, not a path", Prepare(configuration, "--stage1-from-dir=../stage1-shell.aci").Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void The_configuration_says_what_flags_do_not()
    {
        var file = Shell.Pack();
        var configuration = Configure($$"""{"rktKind":"stage1","rktVersion":"v1","name":"example.com/stage1-shell","version":"1.0","location":"{{file}}"}""", "stage1.d");
        Assert.Equal("example.com/stage1-shell", Stage1Of(Prepare(configuration, "--insecure-options=image").Output.Trim()));
        File.Delete(file);
        Assert.Equal("example.com/stage1-shell", Stage1Of(Prepare(configuration).Output.Trim())); // now it is in the store
        Assert.Equal("nacelle/stage1-linux", Stage1Of(Prepare(configuration, "--stage1-name=nacelle/stage1-linux").Output.Trim()));
    }

    [Fact]
    public void An_image_of_a_registry_says_what_it_is_in_labels()
    {
        Machine.Require("/usr/bin/umoci");
        var root = machine.Path + "/oci";
        Machine.Script(machine.Path, $"""
            umoci init --layout {root}; umoci new --image {root}:stage1; umoci unpack --image {root}:stage1 {root}-bundle
            tar -xf {Shell.Pack()} -C {root}-bundle rootfs
            umoci repack --image {root}:stage1 {root}-bundle
            umoci config --image {root}:stage1 --config.label coreos.com/rkt/stage1/run=/run --config.label coreos.com/rkt/stage1/interface-version=6
            """);
        var id = machine.Nacelle("fetch", "--full", $"oci:{root}:stage1").Output.Trim();
        Assert.Equal(7, machine.Shell("exit 7", $"--stage1-hash={id}").ExitCode);
    }

    [Theory]
    [InlineData("--stage1-path and --stage1-name exclude each other", "--stage1-name=a", "--stage1-path=b")]
    [InlineData("there is no stage1 image /no/such.aci", "--stage1-path=/no/such.aci")]
    [InlineData("--stage1-url=stage1.aci: that is no URL", "--stage1-url=stage1.aci")]
    [InlineData("--stage1-hash=sha512-00: there is no such image in the store", "--stage1-hash=sha512-00")]
    [InlineData("the stage1 image nobody/knows is not in the store", "--stage1-name=nobody/knows")]
    [InlineData("--stage1-hash needs a value: --stage1-hash=ID", "--stage1-hash=")]
    public void Wrong_flags_are_refused_in_one_line(string message, params string[] flags)
    {
        var result = Prepare(flags);
        Assert.Equal((254, ""), (result.ExitCode, result.Output));
        Assert.Equal($"nacelle: {message}", result.Errors.TrimEnd('\n').Split('\n')[^1]);
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void An_image_that_is_no_stage1_is_refused()
    {
        var id = machine.Nacelle("fetch", "--full", TestImages.Busybox).Output.Trim();
        var result = Prepare($"--stage1-hash={id}");
        Assert.EndsWith("is no stage1: its manifest names no entry point 'run'\n", result.Errors, StringComparison.Ordinal);
    }

    /// <returns>The flag that has a file of configuration read.</returns>
    string Configure(string json, string directory)
    {
        Directory.CreateDirectory($"{machine.Path}/configuration/{directory}");
        File.WriteAllText($"{machine.Path}/configuration/{directory}/test.json", json);
        return $"--user-config={machine.Path}/configuration";
    }
}
