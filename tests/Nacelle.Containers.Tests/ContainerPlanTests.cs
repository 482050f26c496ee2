using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers.Tests;

/// <summary>The order of a container's start: a plan is data, so it can be looked at without running it.</summary>
public sealed class ContainerPlanTests
{
    static List<string> Steps(bool noNewPrivileges)
    {
        var config = new RuntimeConfig
        {
            OciVersion = RuntimeConfig.CurrentVersion,
            Root = new RuntimeRoot("rootfs", Readonly: true),
            Process = new RuntimeProcess { Cwd = "/", Args = ["tool"], Env = ["PATH=/a:/b"], NoNewPrivileges = noNewPrivileges },
            Mounts = [new RuntimeMount { Destination = "/proc", Type = "proc", Options = ["nosuid"] }, new RuntimeMount { Destination = "/dev", Type = "tmpfs", Options = ["mode=755"] }],
            Linux = new RuntimeLinux
            {
                Namespaces = [new RuntimeNamespace("mount")],
                MaskedPaths = ["/proc/version"],
                Seccomp = new RuntimeSeccomp { DefaultAction = "SCMP_ACT_ALLOW" },
            },
        };
        return [.. ContainerPlan.Build(config, new ContainerSetting { RootPath = "/r" }).Describe()];
    }

    static int At(List<string> steps, string step)
    {
        int at = steps.LastIndexOf(step);
        Assert.True(at >= 0, $"no step '{step}' in: {string.Join("; ", steps)}");
        return at;
    }

    [Theory]
    [InlineData("mount proc on /proc", "pivot_root")]
    [InlineData("create device /dev/null", "mount on /proc/version")]
    [InlineData("mount on /proc/version", "pivot_root")]
    [InlineData("set mount attributes of the container's root", "pivot_root")]
    [InlineData("pivot_root", "detach the old root")]
    [InlineData("detach the old root", "become user 0")]
    [InlineData("drop a capability from the bounding set", "become user 0")]
    [InlineData("become user 0", "set capabilities")]
    [InlineData("close descriptors", "exec tool")]
    [InlineData("unblock signals", "exec tool")]
    public void One_thing_comes_before_another(string first, string second)
    {
        var steps = Steps(noNewPrivileges: false);
        Assert.True(At(steps, first) < At(steps, second), string.Join("; ", steps));
    }

    [Fact]
    public void A_filter_is_loaded_while_it_may_be_and_last_where_it_always_may()
    {
        var privileged = Steps(noNewPrivileges: false);
        Assert.True(At(privileged, "load the seccomp filter") < At(privileged, "set capabilities"));
        var confined = Steps(noNewPrivileges: true);
        Assert.True(At(confined, "load the seccomp filter") > At(confined, "set no_new_privs"));
        Assert.All(confined[(At(confined, "load the seccomp filter") + 1)..], step => Assert.Equal("exec tool", step));
    }

    [Fact]
    public void A_program_is_looked_for_along_the_path() =>
        Assert.Equal(["/a/tool", "/b/tool"], ContainerPlan.ProgramCandidates(new RuntimeProcess { Cwd = "/", Args = ["tool"], Env = ["PATH=/a:/b"] }));

    [Fact]
    public void A_program_with_a_slash_is_a_path() =>
        Assert.Equal(["./tool"], ContainerPlan.ProgramCandidates(new RuntimeProcess { Cwd = "/", Args = ["./tool"] }));

    [Fact]
    public void Nothing_to_run_is_refused() =>
        Assert.Throws<SpecException>(() => ContainerPlan.Build(new RuntimeConfig { OciVersion = "1", Process = new RuntimeProcess { Cwd = "/" } }, new ContainerSetting { RootPath = "/" }));
}
