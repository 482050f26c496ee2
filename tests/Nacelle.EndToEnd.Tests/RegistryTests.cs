namespace Nacelle.EndToEnd.Tests;

/// <summary>The main job against Debian's docker-registry: fetched by name, run by name, also when the registry is gone.</summary>
public sealed class RegistryTests : IDisposable
{
    readonly Machine machine = new();
    readonly Registry registry;

    public RegistryTests()
    {
        registry = new Registry(machine);
        var pushed = Machine.Run("/usr/bin/skopeo", "copy", "--quiet", "--dest-tls-verify=false", TestImages.Busybox, Image);
        Assert.True(pushed.ExitCode == 0, pushed.ToString());
    }

    string Image => $"docker://{registry.Host}/box";

    public void Dispose()
    {
        registry.Dispose();
        machine.Dispose();
    }

    [Fact]
    public void An_image_is_fetched_once_and_runs_without_the_registry()
    {
        var first = machine.Nacelle("--insecure-options=http", "run", Image, "--", "echo", "hello");
        Assert.True(first is { ExitCode: 0, Output: "hello\n", Errors: "" }, first.ToString());
        registry.Stop();
        Assert.Equal("again\n", machine.Nacelle("run", Image, "--", "echo", "again").Output);
        var update = machine.Nacelle("--insecure-options=http", "run", "--pull-policy=update", Image, "--", "true");
        Assert.Equal(254, update.ExitCode);
        Assert.Single(update.Errors.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void Plain_http_needs_its_word()
    {
        var result = machine.Nacelle("fetch", Image);
        Assert.Equal(254, result.ExitCode);
        Assert.Single(result.Errors.TrimEnd('\n').Split('\n'));
        Assert.Contains("127.0.0.1", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_is_listed_and_removed_but_its_layers_stay_for_pods()
    {
        var id = machine.Nacelle("--insecure-options=http", "fetch", Image).Output.Trim();
        Assert.Matches("^sha256-[0-9a-f]{32}$", id);
        Assert.Contains($"{registry.Host}/box", machine.Nacelle("image", "list").Output, StringComparison.Ordinal);
        var uuid = machine.Nacelle("prepare", "--quiet", id, "--", "echo", "kept").Output.Trim();
        Assert.Equal(0, machine.Nacelle("image", "rm", id).ExitCode);
        Assert.DoesNotContain("/box", machine.Nacelle("image", "list").Output, StringComparison.Ordinal);
        Assert.Equal("kept\n", machine.Nacelle("run-prepared", uuid).Output);
        machine.Nacelle("rm", uuid);
        machine.Nacelle("gc", "--grace-period=0s");
        Assert.Empty(Directory.GetDirectories(machine.Data + "/layers"));
    }
}
