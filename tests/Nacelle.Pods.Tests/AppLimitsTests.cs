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
        Assert.Equal(1_000_000, Read("resource/memory", """{"limit":"1M"}""").Memory);
        Assert.Equal(1500, Read("resource/cpu", """{"limit":1.5}""").Cpu);
        Assert.Equal(512UL, Read("os/linux/cpu-shares", "512").CpuShares);
        Assert.Equal(9, Read("os/linux/pids-limit", "9").Pids);
        Assert.Equal(-1000, Read("os/linux/oom-score-adj", "-1000").OutOfMemoryScore);
        Assert.True(Read("os/linux/no-new-privileges", "true").NoNewPrivileges);
        Assert.Equal(CapabilitySet.Of(Capability.Kill), Read("os/linux/capabilities-retain-set", """{"set":["CAP_KILL"]}""").Capabilities);
        Assert.False(Read("os/linux/capabilities-remove-set", """{"set":["CAP_KILL"]}""").Capabilities.Contains(Capability.Kill));
        Assert.NotNull(Read("os/linux/seccomp-remove-set", """{"set":["mkdir"],"errno":"ENOSYS"}""").Seccomp);
        Assert.True(Read("os/linux/seccomp-retain-set", """{"set":["@appc.io/all"]}""").SeccompIsOff);
    }

    [Theory]
    [InlineData("resource/block-bandwidth", "{}", "the isolator resource/block-bandwidth cannot be enforced here")]
    [InlineData("resource/memory", "{}", "is not what the isolator resource/memory takes")]
    [InlineData("os/linux/oom-score-adj", "1001", "between -1000 and 1000")]
    [InlineData("os/linux/capabilities-retain-set", """{"set":["CAP_NO"]}""", "'CAP_NO' is no capability")]
    [InlineData("os/linux/seccomp-retain-set", """{"set":["read"],"errno":"ENOTHING"}""", "'ENOTHING' is no error name")]
    public void What_cannot_be_enforced_is_refused_by_name(string name, string value, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<SpecException>(() => Read(name, value)).Message, StringComparison.Ordinal);
}
