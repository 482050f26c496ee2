using System.Text;
using System.Text.Json;

namespace Nacelle.Specs.Tests;

public sealed class RuntimeConfigTests
{
    static RuntimeConfig Parse(string json) => RuntimeConfig.Parse(Encoding.UTF8.GetBytes(json), "config.json");

    [Fact]
    public void A_document_with_every_member_is_written_as_it_was_read()
    {
        var written = WholeConfig.Config.ToJson();
        using var expected = JsonDocument.Parse(WholeConfig.Json);
        using var actual = JsonDocument.Parse(written);
        Assert.True(JsonElement.DeepEquals(expected.RootElement, actual.RootElement), Encoding.UTF8.GetString(written));
    }

    [Fact]
    public void Members_are_read_into_their_places()
    {
        var config = WholeConfig.Config;
        var process = config.Process!;
        var linux = config.Linux!;
        var resources = linux.Resources!;
        Assert.Equal(("host", "domain.test"), (config.Hostname, config.Domainname));
        Assert.Equal(18u, process.User.Umask);
        Assert.Equal(ulong.MaxValue, process.Rlimits[0].Hard);
        Assert.Equal(("profile", "system_u:system_r:container_t:s0"), (process.ApparmorProfile, process.SelinuxLabel));
        Assert.Equal((1000000ul, 2000000ul, 3000000ul), (process.Scheduler!.Runtime, process.Scheduler.Deadline, process.Scheduler.Period));
        Assert.Equal(new RuntimeIoPriority("IOPRIO_CLASS_BE", 4), process.IoPriority);
        Assert.Equal(new RuntimeCpuAffinity("7", "0-3,7"), process.ExecCpuAffinity);
        Assert.Equal(new RuntimeIdMapping(0, 2000, 20), config.Mounts[1].GidMappings[0]);
        Assert.Equal(5, config.Hooks!.Prestart[0].Timeout);
        Assert.Equal("/bin/g", config.Hooks.Poststop[1].Path);
        Assert.Equal("/run/netns/a", linux.Namespaces[1].Path);
        Assert.Equal(new RuntimeTimeOffset(-5, 999999999), linux.TimeOffsets!["boottime"]);
        Assert.Equal(new RuntimeNetDevice(), linux.NetDevices!["eth2"]);
        Assert.Equal(-1, resources.Memory!.KernelTcp);
        Assert.Equal(10000ul, resources.Cpu!.Burst);
        Assert.Equal(new RuntimeThrottleDevice(8, 0, 602), resources.BlockIo!.ThrottleReadIopsDevice[0]);
        Assert.Equal(new RuntimeWeightDevice(8, 16, 500), resources.BlockIo.WeightDevice[1]);
        Assert.Equal(1ul << 63, resources.HugepageLimits[1].Limit);
        Assert.Equal(new RuntimeRdma(null, 1), resources.Rdma!["rxe3"]);
        Assert.Equal("guaranteed", linux.IntelRdt!.ClosId);
        Assert.Equal("MPOL_INTERLEAVE", linux.MemoryPolicy!.Mode);
        Assert.Equal(ulong.MaxValue, linux.Seccomp!.Syscalls[0].Args[0].Value);
        Assert.Equal("/run/agent.sock", linux.Seccomp.ListenerPath);
        Assert.Equal("LINUX32", linux.Personality!.Domain);
    }

    [Theory]
    [InlineData("""{"ociVersion":1}""", "ociVersion: 1 is not a string")]
    [InlineData("""{}""", "ociVersion: is missing")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","rlimits":[{"type":"R","soft":-1,"hard":1}]}}""", "process.rlimits[0].soft: -1 is not a whole number")]
    [InlineData("""{"ociVersion":"1","mounts":[{"destination":"/"},{"type":"x"}]}""", "mounts[1].destination: is missing")]
    [InlineData("""{"ociVersion":"1","linux":{"seccomp":{"defaultAction":"A","syscalls":[{"names":"read","action":"B"}]}}}""", "linux.seccomp.syscalls[0].names: \"read\" is not an array")]
    [InlineData("""{"ociVersion":"1","linux":[]}""", "linux: [] is not an object")]
    [InlineData("""{"ociVersion":"1","linux":{"timeOffsets":{"boottime":{"secs":1.5}}}}""", "linux.timeOffsets.boottime.secs: 1.5 is not a whole number")]
    [InlineData("""{"ociVersion":"1","linux":{"netDevices":{"eth0":1}}}""", "linux.netDevices.eth0: 1 is not an object")]
    [InlineData("""{"ociVersion":"1","linux":{"devices":[{"type":"c","path":"/dev/x","minor":1}]}}""", "linux.devices[0].major: is missing")]
    [InlineData("""{"ociVersion":"1","linux":{"resources":{"pids":{"limit":1e3}}}}""", "linux.resources.pids.limit: 1e3 is not a whole number")]
    public void What_is_wrong_is_said_with_its_path(string json, string complaint) =>
        Assert.StartsWith("config.json: " + complaint, Assert.Throws<SpecException>(() => Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Null_is_the_same_as_nothing() => Assert.Empty(Parse("""{"ociVersion":"1","mounts":null,"linux":null}""").Mounts);

    [Fact]
    public void An_optional_string_that_is_empty_is_the_same_as_nothing()
    {
        var config = Parse("""{"ociVersion":"1","hostname":"","linux":{"cgroupsPath":"","namespaces":[{"type":"pid","path":""}]}}""");
        Assert.Null(config.Hostname);
        Assert.Null(config.Linux!.CgroupsPath);
        Assert.Null(config.Linux.Namespaces[0].Path);
    }

    [Fact]
    public void A_pipe_needs_no_numbers() => Assert.Equal("p", Parse("""{"ociVersion":"1","linux":{"devices":[{"type":"p","path":"/x"}]}}""").Linux!.Devices[0].Type);

    [Fact]
    public void Unknown_members_and_those_of_other_systems_are_passed_over() =>
        Assert.Null(Parse("""{"ociVersion":"1","windows":{"layerFolders":[1]},"process":{"cwd":"/","commandLine":7},"future":[{}]}""").Linux);
}
