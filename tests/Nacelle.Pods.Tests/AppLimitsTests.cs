using System.Text.Json;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods.Tests;

public sealed class AppLimitsTests
{
    static AppLimits Read(string name, string value) => AppLimits.Read([new Isolator(name, JsonDocument.Parse(value).RootElement)], "isolators");

    [Fact]
    public void Each_isolator_is_understood()
    {
        Assert.Equal(1_000_000, Read("resource/memory", """{"limit":"1M"}""").Resources.Memory);
        Assert.Equal(1500, Read("resource/cpu", """{"limit":1.5}""").Resources.Cpu);
        Assert.Equal(512UL, Read("os/linux/cpu-shares", "512").Resources.CpuShares);
        Assert.Equal(9, Read("os/linux/pids-limit", "9").Resources.Pids);
        Assert.Equal(-1000, Read("os/linux/oom-score-adj", "-1000").OutOfMemoryScore);
        Assert.True(Read("os/linux/no-new-privileges", "true").NoNewPrivileges);
        Assert.Equal(CapabilitySet.Of(Capability.Kill), Read("os/linux/capabilities-retain-set", """{"set":["CAP_KILL"]}""").Capabilities);
        Assert.False(Read("os/linux/capabilities-remove-set", """{"set":["CAP_KILL"]}""").Capabilities.Contains(Capability.Kill));
        Assert.NotNull(Read("os/linux/seccomp-remove-set", """{"set":["mkdir"],"errno":"ENOSYS"}""").Seccomp);
        Assert.True(Read("os/linux/seccomp-retain-set", """{"set":["@appc.io/all"]}""").SeccompIsOff);
        Assert.Null(Read("os/linux/seccomp-remove-set", """{"set":["@appc.io/empty"]}""").Seccomp);
        Assert.Equal(SeccompAction.KillProcess, Read("os/linux/seccomp-retain-set", """{"set":["read"],"errno":""}""").Seccomp!.DefaultAction);
        Assert.Equal("u:r:t:s0:c1,c2", Read("os/linux/selinux-context", """{"user":"u","role":"r","type":"t","level":"s0:c1,c2"}""").SelinuxLabel);
        Assert.Equal("mine", Read("os/linux/apparmor-profile", "\"mine\"").ApparmorProfile);
    }

    [Fact]
    public void Requests_and_rates_become_resources()
    {
        var memory = Read("resource/memory", """{"request":"1M","limit":"2M"}""").Resources.ToRuntime().Memory!;
        Assert.Equal((1_000_000, 2_000_000), (memory.Reservation, memory.Limit));
        var cpu = Read("resource/cpu", """{"request":"250m","limit":"500m"}""").Resources.ToRuntime().Cpu!;
        Assert.Equal((256UL, 50_000L), (cpu.Shares, cpu.Quota));
        Assert.Null(Read("resource/cpu", """{"request":"250m"}""").Resources.ToRuntime().Cpu!.Quota);
        Assert.Equal(1000L, Read("resource/cpu", """{"limit":"1m"}""").Resources.ToRuntime().Cpu!.Quota);
        Assert.Equal(2_000_000, Read("resource/block-bandwidth", """{"default":true,"limit":"2M"}""").Resources.BlockBandwidth);
        Assert.Equal(1000, Read("resource/block-iops", """{"limit":"1k"}""").Resources.BlockOperations);
        Assert.Equal(1_000_000_000, Read("resource/network-bandwidth", """{"default":true,"limit":"1G"}""").Resources.NetworkBandwidth);
    }

    [Theory]
    [InlineData("resource/memory", "resource/memory")]
    [InlineData("os/linux/capabilities-retain-set", "os/linux/capabilities-remove-set")]
    [InlineData("os/linux/seccomp-remove-set", "os/linux/seccomp-retain-set")]
    public void What_is_said_twice_or_both_ways_is_refused(string first, string second)
    {
        var value = JsonDocument.Parse(first.StartsWith("resource", StringComparison.Ordinal) ? """{"limit":"1M"}""" : """{"set":["CAP_KILL"]}""").RootElement;
        var kill = JsonDocument.Parse("""{"set":["kill"]}""").RootElement;
        var values = first.Contains("seccomp", StringComparison.Ordinal) ? kill : value;
        var problem = Assert.Throws<SpecException>(() => AppLimits.Read([new Isolator(first, values), new Isolator(second, values)], "isolators"));
        Assert.Equal($"isolators[1]: {second} is said again, or excludes one before it", problem.Message);
    }

    [Theory]
    [InlineData("resource/network-bandwidth", """{"default":false,"limit":"1G"}""", "'default' must be true")]
    [InlineData("resource/network-latency", """{"limit":"1G"}""", "the isolator resource/network-latency cannot be enforced here")]
    [InlineData("os/unix/sysctl", "{}", "the isolator os/unix/sysctl cannot be enforced here")]
    [InlineData("resource/block-bandwidth", "{}", "is not what the isolator resource/block-bandwidth takes")]
    [InlineData("resource/block-iops", """{"default":false,"limit":"1"}""", "'default' must be true")]
    [InlineData("os/linux/pids-limit", "0", "needs one process at least")]
    [InlineData("os/linux/selinux-context", """{"user":"u","role":"r","type":"t"}""", "is not what the isolator os/linux/selinux-context takes")]
    [InlineData("os/linux/seccomp-retain-set", """{"set":["@no/such"]}""", "no set of system calls is named '@no/such'")]
    [InlineData("os/linux/seccomp-remove-set", """{"set":[]}""", "the set names no system call")]
    [InlineData("resource/memory", "{}", "is not what the isolator resource/memory takes")]
    [InlineData("os/linux/oom-score-adj", "1001", "between -1000 and 1000")]
    [InlineData("os/linux/capabilities-retain-set", """{"set":["CAP_NO"]}""", "'CAP_NO' is no capability")]
    [InlineData("os/linux/seccomp-retain-set", """{"set":["read"],"errno":"ENOTHING"}""", "'ENOTHING' is no error name")]
    public void What_cannot_be_enforced_is_refused_by_name(string name, string value, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<SpecException>(() => Read(name, value)).Message, StringComparison.Ordinal);
}
