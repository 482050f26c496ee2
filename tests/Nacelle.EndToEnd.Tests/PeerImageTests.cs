namespace Nacelle.EndToEnd.Tests;

/// <summary>Images that Debian's buildah, podman and skopeo made, in every form they have for them: we take and run them. Ours they take and run.</summary>
public sealed class PeerImageTests : IDisposable
{
    const string Says = "set\nbuilt\n";

    readonly Machine machine = new();
    readonly Registry registry;
    readonly Peers peers;

    public PeerImageTests()
    {
        registry = new Registry(machine);
        peers = new Peers(machine);
    }

    public void Dispose()
    {
        registry.Dispose();
        machine.Dispose();
    }

    /// <summary>Runs an image of <see cref="Peers.Context"/>, and looks at what it was told by its maker.</summary>
    void Runs(string name)
    {
        var run = machine.Nacelle("--insecure-options=http", "run", name);
        Assert.True(run is { ExitCode: 0, Output: Says, Errors: "" }, $"{name}: {run}");
        Assert.Contains("\"maker\"", machine.Nacelle("image", "cat-manifest", name).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("oci", "")]
    [InlineData("docker", "")]
    [InlineData("oci", "--squash")]
    [InlineData("docker", "--layers")]
    public void What_buildah_builds_runs_from_wherever_it_was_pushed_to(string format, string flag)
    {
        peers.BuildByBuildah("localhost/peer", $"--format={format} {flag}");
        string[] names = [$"docker://{registry.Host}/some/peer:1", $"oci:{machine.Path}/layout:t", $"oci-archive:{machine.Path}/oci.tar:t", $"docker-archive:{machine.Path}/docker.tar:some/peer:1"];
        foreach (var name in names)
        {
            peers.Buildah($"push -q --tls-verify=false localhost/peer {name}");
            Runs(name);
        }
    }

    [Fact]
    public void What_buildah_compresses_by_zstd_runs()
    {
        peers.BuildByBuildah("localhost/peer", "");
        peers.Buildah($"push -q --tls-verify=false --compression-format=zstd localhost/peer docker://{registry.Host}/some/peer:zstd");
        Assert.Contains("tar+zstd", peers.Skopeo($"inspect --raw --tls-verify=false docker://{registry.Host}/some/peer:zstd"), StringComparison.Ordinal);
        Runs($"docker://{registry.Host}/some/peer:zstd");
    }

    [Theory]
    [InlineData("docker-archive", "docker-archive:")]
    [InlineData("oci-archive", "oci-archive:")]
    [InlineData("oci-dir", "oci:")]
    public void What_podman_saves_runs(string format, string scheme)
    {
        peers.BuildByBuildah("localhost/peer", "");
        peers.Podman($"save -q --format={format} -o {machine.Path}/saved localhost/peer");
        Runs($"{scheme}{machine.Path}/saved");
        Runs($"{machine.Path}/saved"); // what it is, its files say
    }

    [Fact]
    public void Several_images_that_podman_saves_in_one_archive_are_told_apart_by_their_names()
    {
        peers.BuildByBuildah("localhost/peer", "");
        peers.BuildByBuildah("localhost/other", "--build-arg=WORD=other");
        peers.Podman($"save -q -m -o {machine.Path}/both localhost/peer localhost/other");
        Runs($"docker-archive:{machine.Path}/both:localhost/peer:latest");
        Assert.Equal("set\nother\n", machine.Nacelle("run", $"docker-archive:{machine.Path}/both:localhost/other:latest").Output);
        var which = machine.Nacelle("fetch", $"docker-archive:{machine.Path}/both");
        Assert.Equal(254, which.ExitCode);
        Assert.Contains("say which: it has ", Assert.Single(which.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public void What_we_build_and_push_podman_runs_and_umoci_unpacks()
    {
        var built = machine.Nacelle("build", "--quiet", "-t", $"{registry.Host}/some/ours:1", peers.Context);
        Assert.True(built.ExitCode == 0, built.ToString());
        foreach (var flags in (string[])["--compression=gzip", "--compression=zstd", "--manifest-format=docker"])
        {
            var push = machine.Nacelle("--insecure-options=http", "image", "push", flags, $"{registry.Host}/some/ours:1", $"{registry.Host}/some/ours:{flags[(flags.IndexOf('=') + 1)..]}");
            Assert.True(push.ExitCode == 0, push.ToString());
        }

        foreach (var tag in (string[])["gzip", "zstd", "docker"])
        {
            peers.Podman($"pull -q --tls-verify=false {registry.Host}/some/ours:{tag}");
            Assert.Equal(Says, peers.RunByPodman($"{registry.Host}/some/ours:{tag}"));
        }

        peers.Skopeo($"copy -q --src-tls-verify=false docker://{registry.Host}/some/ours:gzip oci:{machine.Path}/layout:t");
        Machine.Script(machine.Path, "umoci unpack --image layout:t bundle; test \"$(cat bundle/rootfs/made)\" = built; cmp bundle/rootfs/bin/busybox /bin/busybox");
    }
}
