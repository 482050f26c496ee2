namespace Nacelle.EndToEnd.Tests;

/// <summary>Which OCI images are taken on a machine that has no trust policy, and where a policy may lie.</summary>
public sealed class DefaultPolicyTests : IDisposable
{
    const string AcceptAnything = """{"default":[{"type":"insecureAcceptAnything"}]}""", Reject = """{"default":[{"type":"reject"}]}""";

    readonly Machine machine = new();

    public DefaultPolicyTests()
    {
        foreach (var directory in (string[])["home/.config/containers", "system", "local", "user"])
        {
            Directory.CreateDirectory($"{machine.Path}/{directory}");
        }
    }

    public void Dispose() => machine.Dispose();

    /// <summary>Runs nacelle where only this test's files say whom to trust: the machine's own policy is hidden.</summary>
    Result Nacelle(params string[] arguments) => Machine.Run("/usr/bin/unshare",
    [
        "-m", "sh", "-c", "if [ -d /etc/containers ]; then mount -t tmpfs none /etc/containers; fi; exec \"$@\"", "sh", "env", $"HOME={machine.Path}/home", Machine.Program,
        $"--dir={machine.Data}", $"--system-config={machine.Path}/system", $"--local-config={machine.Path}/local", $"--user-config={machine.Path}/user", .. arguments,
    ]);

    void Refused(Result result, string reason)
    {
        Assert.True(result is { ExitCode: 254, Output: "" }, result.ToString());
        Assert.Contains(reason, result.Errors.TrimEnd('\n').Split('\n')[0], StringComparison.Ordinal);
        Assert.Empty(Nacelle("image", "list", "--no-legend").Output);
        Assert.Empty(machine.Pods());
    }

    static void Succeeded(Result result) => Assert.True(result.ExitCode == 0, result.ToString());

    [Fact]
    public void Without_a_policy_an_image_is_refused_in_one_line_that_says_what_to_do()
    {
        var line = $"nacelle: {TestImages.Busybox} is not to be trusted: there is no policy that says so; write /etc/containers/policy.json, or take the image unsigned by --insecure-options=image\n";
        foreach (var arguments in (string[][])[["fetch"], ["run"], ["prepare"], ["run", "--pull-policy=update"]])
        {
            var result = Nacelle([.. arguments, TestImages.Busybox]);
            Refused(result, "is not to be trusted");
            Assert.Equal(line, result.Errors);
        }

        Refused(Nacelle("image", "copy", TestImages.Busybox, "store:localhost/box"), "is not to be trusted");
        Refused(Nacelle("fetch", "docker://registry.invalid/box"), "docker://registry.invalid/box:latest is not to be trusted"); // and is not asked for
    }

    [Fact]
    public void Builds_follow_the_same_rule_and_what_they_make_is_trusted()
    {
        Directory.CreateDirectory($"{machine.Path}/context");
        File.WriteAllText($"{machine.Path}/context/Containerfile", $"FROM {TestImages.Busybox}\nRUN echo built >/made\n");
        string[] build = ["build", "-t", "made", $"{machine.Path}/context"];
        Refused(Nacelle(build), "[1/2] FROM");
        Assert.Contains("is not to be trusted", Nacelle(build).Errors, StringComparison.Ordinal);
        Succeeded(Nacelle(["--insecure-options=image", .. build]));
        Assert.Equal("built\n", Nacelle("run", "made", "--exec=/bin/cat", "--", "/made").Output);
        File.WriteAllText($"{machine.Path}/context/Containerfile", "FROM made\nRUN cat /made\n");
        Succeeded(Nacelle(build));
    }

    [Fact]
    public void The_flag_takes_an_image_that_is_found_without_it_from_then_on()
    {
        Succeeded(Nacelle("--insecure-options=image", "fetch", TestImages.Busybox));
        Assert.Equal("here\n", Nacelle("run", TestImages.Busybox, "--", "echo", "here").Output);
        Assert.Equal(254, Nacelle("fetch", TestImages.Busybox).ExitCode); // which asks again, as --pull-policy=update
        Assert.Equal("here\n", Nacelle("--insecure-options=all-fetch", "run", "--pull-policy=update", TestImages.Busybox, "--", "echo", "here").Output);
    }

    [Fact]
    public void A_policy_written_for_nacelle_counts_before_that_of_podman_and_the_distribution_s_last()
    {
        string[] weakestFirst = [$"{machine.Path}/system/policy.json", $"{machine.Path}/home/.config/containers/policy.json", $"{machine.Path}/local/policy.json", $"{machine.Path}/user/policy.json"];
        foreach (var path in weakestFirst)
        {
            File.WriteAllText(path, Reject);
            Refused(Nacelle("fetch", TestImages.Busybox), $"{path} rejects it");
            File.WriteAllText(path, AcceptAnything);
            Succeeded(Nacelle("fetch", TestImages.Busybox));
            Succeeded(Nacelle("image", "rm", TestImages.Busybox));
        }
    }

    [Fact]
    public void A_policy_that_cannot_be_understood_refuses_all()
    {
        File.WriteAllText($"{machine.Path}/local/policy.json", "{");
        Refused(Nacelle("fetch", TestImages.Busybox), $"{machine.Path}/local/policy.json");
    }
}
