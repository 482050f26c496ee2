namespace Nacelle.Oci.Tests;

/// <summary>Debian's buildah, whose RUN steps run in containers of ours.</summary>
[Collection(PodmanCollection.Name)]
public sealed class BuildahTests(Podman podman)
{
    Result Build(string name, string file)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/buildah"), "needs Debian's buildah");
        var context = Directory.CreateDirectory($"{podman.Path}/build-{name}").FullName;
        File.WriteAllText($"{context}/Containerfile", file);
        return podman.InEnvironment(
            ["buildah", .. podman.Storage, "build", "--isolation=oci", $"--runtime={podman.Runtime}", "--network=none", $"--tag=localhost/{name}", context]);
    }

    [Fact]
    public void Steps_of_a_build_run()
    {
        var built = Build("built", $"""
            FROM {Podman.Image}
            ENV NAME=value
            RUN echo $NAME >/made && chown 1000:1000 /made
            WORKDIR /data
            USER 1000
            RUN test "$(cat /made)" = value && test $(id -u) = 1000 && test $PWD = /data && grep -q 'Seccomp:.2' /proc/self/status
            CMD ["cat", "/made"]
            """);
        Assert.True(built.ExitCode == 0, built.ToString());
        Assert.Equal("value", podman.Say("run", "--rm", "localhost/built"));
    }

    [Fact]
    public void A_step_that_fails_ends_the_build()
    {
        var built = Build("failed", $"FROM {Podman.Image}\nRUN exit 3\n");
        Assert.True(built.ExitCode == 3 && built.Errors.Contains("exit status 3", StringComparison.Ordinal), built.ToString());
    }
}
