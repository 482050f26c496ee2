using System.Diagnostics;

namespace Nacelle.Build.Tests;

/// <summary>RUN --mount=type=ssh: a command speaks to the ssh agent of whoever builds.</summary>
public sealed class AgentTests : IDisposable
{
    readonly BuildMachine machine = new();
    readonly Process agent;
    readonly string socket;

    public AgentTests()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/ssh-agent") && File.Exists("/usr/bin/ssh-add"), "openssh-client is not installed");
        socket = machine.Path + "/socket";
        agent = Process.Start(BuildMachine.Prepare("/usr/bin/ssh-agent", ["-D", "-a", socket]))!;
        for (int i = 0; i < 500 && !File.Exists(socket); i++)
        {
            Thread.Sleep(20);
        }

        BuildMachine.Shell(machine.Path, $"ssh-keygen -q -t ed25519 -N '' -C somebody -f key; SSH_AUTH_SOCK={socket} ssh-add -q key; mkdir -p tools/bin; cp /usr/bin/ssh-add tools/bin; for f in $(ldd /usr/bin/ssh-add | grep -o '/[^ ]*'); do cp --parents -L $f tools; done");
        var libraries = machine.Build(machine.Path, "FROM localhost/base\nCOPY tools /\n", "-t", "ssh");
        Assert.True(libraries.ExitCode == 0, libraries.ToString());
    }

    Result Build(string run, params string[] flags) => machine.Build(machine.Context(), $"FROM localhost/ssh\n{run}\n", ["-t", "agent", "--no-cache", .. flags]);

    [Theory]
    [InlineData("RUN --mount=type=ssh,required ssh-add -L >/keys", "default")]
    [InlineData("RUN --mount=type=ssh,id=work ssh-add -L >/keys", "work")]
    [InlineData("RUN --mount=type=ssh,target=/deep/agent ssh-add -L >/keys && test $SSH_AUTH_SOCK = /deep/agent", "default")]
    [InlineData("RUN chmod 777 /\nUSER app\nRUN --mount=type=ssh,uid=1000 ssh-add -L >/keys", "default")]
    public void A_command_speaks_to_the_agent_and_nothing_of_it_stays(string run, string id)
    {
        var build = Build(run, $"--ssh={id}={socket}");
        Assert.True(build.ExitCode == 0, build.ToString());
        machine.RequireNothingLeft();
        Assert.Equal(File.ReadAllText(machine.Path + "/key.pub") + "0\n", machine.In("agent", "cat /keys; ls -d /run/nacelle-build /deep 2>/dev/null | wc -l"));
        Assert.DoesNotContain("SSH_AUTH_SOCK", BuildMachine.Shell(machine.Path, "skopeo inspect --config --raw oci:data/images:localhost/agent:latest").Replace("$SSH_AUTH_SOCK", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Who_may_not_is_kept_away_and_other_steps_know_of_no_agent()
    {
        var build = Build("RUN test -z \"$SSH_AUTH_SOCK\"\nUSER app\nRUN --mount=type=ssh ! ssh-add -L", $"--ssh=default={socket}");
        Assert.True(build.ExitCode == 0, build.ToString());
    }

    [Fact]
    public void The_agent_of_the_environment_is_the_default()
    {
        var context = machine.Context();
        File.WriteAllText(context + "/Containerfile", "FROM localhost/ssh\nRUN --mount=type=ssh,required ssh-add -l\n");
        string[] arguments = [$"--dir={machine.Data}", "build", "--no-cache", "--ssh=default", context];
        var build = BuildMachine.Run(BuildMachine.Binaries + "/nacelle", arguments, ("SSH_AUTH_SOCK", socket));
        Assert.True(build.ExitCode == 0 && build.Errors.Contains("somebody (ED25519)", StringComparison.Ordinal), build.ToString());
        var none = BuildMachine.Run("/usr/bin/env", ["-u", "SSH_AUTH_SOCK", BuildMachine.Binaries + "/nacelle", .. arguments]);
        Assert.Equal((254, "nacelle: --ssh=default: no agent runs ($SSH_AUTH_SOCK is not set)\n"), (none.ExitCode, none.Errors));
    }

    [Theory]
    [InlineData("RUN --mount=type=ssh,required true", null, "Containerfile:2: RUN: the ssh agent 'default' is required: give it with --ssh=default")]
    [InlineData("RUN true", "--ssh=default=KEY", "nacelle: --ssh=default=KEY: KEY is no agent's socket; keys are given to an agent by ssh-add")]
    [InlineData("RUN true", "--ssh=default=/nowhere", "nacelle: --ssh=default=/nowhere: /nowhere: ENOENT")]
    public void What_is_no_agent_is_told(string run, string? flag, string line)
    {
        string Fill(string text) => text.Replace("KEY", machine.Path + "/key", StringComparison.Ordinal);
        var build = Build(run, flag is null ? [] : [Fill(flag)]);
        Assert.Equal(254, build.ExitCode);
        Assert.EndsWith(Fill(line), build.Errors.TrimEnd(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        agent.Kill();
        agent.WaitForExit();
        agent.Dispose();
        machine.Dispose();
    }
}
