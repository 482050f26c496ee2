using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class DeviceTests
{
    const CgroupControllers Devices = CgroupControllers.Devices;
    static readonly DeviceRule Null = new(true, DeviceKind.Character, 1, 3, DeviceAccess.All);

    [KernelFact]
    public void The_default_rules_allow_what_every_program_opens_and_no_more()
    {
        using var test = new TestGroup(Devices).Needs(Devices);
        AssertAllSet(test, DeviceRule.Default);
        Assert.Equal(0, test.Run("head -c 1 /dev/zero > /dev/null && : < /dev/urandom && : > /dev/full").ShellCode);
        Assert.NotEqual(0, test.Run(": < /dev/kmsg").ShellCode);
    }

    [KernelFact]
    public void Any_node_may_be_made_by_default_but_not_opened()
    {
        using var test = new TestGroup(Devices).Needs(Devices);
        AssertAllSet(test, DeviceRule.Default);
        using var directory = new TemporaryDirectory();
        Assert.Equal(0, test.Run($"mknod {directory.Path}/kmsg c 1 11").ShellCode);
        Assert.NotEqual(0, test.Run($": < {directory.Path}/kmsg").ShellCode);
    }

    [KernelFact]
    public void Without_a_rule_everything_is_denied()
    {
        using var test = new TestGroup(Devices).Needs(Devices);
        AssertAllSet(test, []);
        Assert.NotEqual(0, test.Run(": < /dev/null").ShellCode);
    }

    [KernelFact]
    public void Reading_may_be_allowed_without_writing()
    {
        using var test = new TestGroup(Devices).Needs(Devices);
        AssertAllSet(test, [new(true, DeviceKind.Character, 1, 3, DeviceAccess.Read)]);
        Assert.Equal(0, test.Run(": < /dev/null").ShellCode);
        Assert.NotEqual(0, test.Run(": > /dev/null").ShellCode);
    }

    [KernelFact]
    public void Rights_given_by_two_rules_add_up()
    {
        using var test = new TestGroup(Devices).Needs(Devices);
        AssertAllSet(test, [new(true, DeviceKind.Character, 1, 3, DeviceAccess.Read), new(true, DeviceKind.Character, 1, 3, DeviceAccess.Write)]);
        Assert.Equal(0, test.Run(": <> /dev/null").ShellCode);
    }

    [KernelFact]
    public void A_later_rule_denies_what_everything_had_allowed()
    {
        using var test = new TestGroup(Devices).Needs(Devices);
        AssertAllSet(test, [DeviceRule.AllowAll, new(false, DeviceKind.Character, 1, 11, DeviceAccess.All)]);
        Assert.Equal(0, test.Run(": < /dev/null").ShellCode);
        Assert.NotEqual(0, test.Run(": < /dev/kmsg").ShellCode);
    }

    [KernelFact]
    public void New_rules_replace_the_old_ones()
    {
        using var test = new TestGroup(Devices).Needs(Devices);
        AssertAllSet(test, []);
        AssertAllSet(test, [Null]);
        Assert.Equal(0, test.Run(": < /dev/null").ShellCode);
        AssertAllSet(test, []);
        Assert.NotEqual(0, test.Run(": < /dev/null").ShellCode);
    }

    [KernelFact]
    public void Another_process_may_replace_the_rules_too()
    {
        using var test = new TestGroup(Devices).Needs(Devices);
        AssertAllSet(test, []);
        using var again = Cgroup.TryOpen(TestGroup.Layout, test.Group.Path)!;
        Assert.Empty(again.Apply(new CgroupLimits { Devices = [Null] }));
        Assert.Equal(0, test.Run(": < /dev/null").ShellCode);
    }

    [KernelFact]
    public void An_exception_that_version_1_cannot_make_is_reported()
    {
        using var test = new TestGroup(Devices).Needs(Devices);
        var unset = test.Group.Apply(new CgroupLimits { Devices = [new(true, DeviceKind.Character, 1, null, DeviceAccess.All), Null with { Allow = false }] });
        if (TestGroup.Unified)
        {
            Assert.Empty(unset);
            Assert.NotEqual(0, test.Run(": < /dev/null").ShellCode);
            Assert.Equal(0, test.Run(": < /dev/zero").ShellCode);
        }
        else
        {
            Assert.Contains("'c 1:3 rwm' to 'c 1:* rwm'", Assert.Single(unset).Reason, StringComparison.Ordinal);
        }
    }

    static void AssertAllSet(TestGroup test, IReadOnlyList<DeviceRule> rules)
    {
        var unset = test.Group.Apply(new CgroupLimits { Devices = rules });
        Assert.True(unset.Count == 0, string.Join("; ", unset));
    }
}
