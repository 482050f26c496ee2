namespace Nacelle.Specs.Tests;

public sealed class RuntimeResourcesCheckTests
{
    [Theory]
    [InlineData("devices[1].type", "\"x\"", "devices[1].type: 'x' is not a type of device: use a, c, b")]
    [InlineData("devices[1].access", "\"rx\"", "devices[1].access: 'rx' is not of the letters r, w and m")]
    [InlineData("devices[1].major", "-2", "devices[1].major: -2 is out of range: use -1 to 4095")]
    [InlineData("devices[1].minor", "1048576", "devices[1].minor: 1048576 is out of range: use -1 to 1048575")]
    [InlineData("memory.limit", "-2", "memory.limit: -2 is negative: use -1 for no limit")]
    [InlineData("memory.reservation", "-2", "memory.reservation: -2 is negative: use -1 for no limit")]
    [InlineData("memory.swap", "-2", "memory.swap: -2 is negative: use -1 for no limit")]
    [InlineData("memory.kernel", "-2", "memory.kernel: -2 is negative: use -1 for no limit")]
    [InlineData("memory.kernelTCP", "-2", "memory.kernelTCP: -2 is negative: use -1 for no limit")]
    [InlineData("memory.swap", "1", "memory.swap: 1 is memory and swap together: it cannot be below the limit of memory alone, 536870912")]
    [InlineData("memory.limit", "-1", "memory.swap: is memory and swap together: it cannot be limited while memory alone is not")]
    [InlineData("memory.swappiness", "101", "memory.swappiness: 101 is out of range: use 0 to 100")]
    [InlineData("cpu.shares", "1", "cpu.shares: 1 is out of range: use 2 to 262144")]
    [InlineData("cpu.shares", "262145", "cpu.shares: 262145 is out of range: use 2 to 262144")]
    [InlineData("cpu.quota", "-2", "cpu.quota: -2 is out of range: use 1000 or more microseconds, or -1 for no limit")]
    [InlineData("cpu.quota", "999", "cpu.quota: 999 is out of range: use 1000 or more microseconds, or -1 for no limit")]
    [InlineData("cpu.period", "999", "cpu.period: 999 is out of range: use 1000 to 1000000 microseconds")]
    [InlineData("cpu.period", "1000001", "cpu.period: 1000001 is out of range: use 1000 to 1000000 microseconds")]
    [InlineData("cpu.burst", "50001", "cpu.burst: 50001 is above the quota, 50000")]
    [InlineData("cpu.realtimeRuntime", "-2", "cpu.realtimeRuntime: -2 is negative: use -1 for no limit")]
    [InlineData("cpu.realtimeRuntime", "100001", "cpu.realtimeRuntime: 100001 is above the period, 100000")]
    [InlineData("cpu.cpus", "\"0-\"", "cpu.cpus: '0-' is not a list of numbers and ranges such as 0-3,7")]
    [InlineData("cpu.mems", "\"x\"", "cpu.mems: 'x' is not a list of numbers and ranges such as 0-3,7")]
    [InlineData("cpu.idle", "2", "cpu.idle: 2 is out of range: use 0 to 1")]
    [InlineData("cpu.idle", "-1", "cpu.idle: -1 is out of range: use 0 to 1")]
    [InlineData("pids.limit", "-2", "pids.limit: -2 is negative: use -1 for no limit")]
    [InlineData("blockIO.weight", "9", "blockIO.weight: 9 is out of range: use 10 to 1000")]
    [InlineData("blockIO.leafWeight", "1001", "blockIO.leafWeight: 1001 is out of range: use 10 to 1000")]
    [InlineData("blockIO.weightDevice[0].weight", "65536", "blockIO.weightDevice[0].weight: 65536 is out of range: use 10 to 1000")]
    [InlineData("blockIO.weightDevice[0].leafWeight", "1", "blockIO.weightDevice[0].leafWeight: 1 is out of range: use 10 to 1000")]
    [InlineData("blockIO.weightDevice[1].weight", "null", "blockIO.weightDevice[1]: has neither weight nor leafWeight")]
    [InlineData("blockIO.weightDevice[1].major", "4096", "blockIO.weightDevice[1].major: 4096 is out of range: use 0 to 4095")]
    [InlineData("blockIO.throttleReadBpsDevice[0].major", "4096", "blockIO.throttleReadBpsDevice[0].major: 4096 is out of range: use 0 to 4095")]
    [InlineData("blockIO.throttleWriteBpsDevice[0].major", "4096", "blockIO.throttleWriteBpsDevice[0].major: 4096 is out of range: use 0 to 4095")]
    [InlineData("blockIO.throttleReadIOPSDevice[0].major", "4096", "blockIO.throttleReadIOPSDevice[0].major: 4096 is out of range: use 0 to 4095")]
    [InlineData("blockIO.throttleWriteIOPSDevice[0].minor", "1048576", "blockIO.throttleWriteIOPSDevice[0].minor: 1048576 is out of range: use 0 to 1048575")]
    [InlineData("hugepageLimits[0].pageSize", "\"2M\"", "hugepageLimits[0].pageSize: '2M' is not a page's size: use a number and KB, MB or GB, as in 2MB")]
    [InlineData("hugepageLimits[1].pageSize", "\"02MB\"", "hugepageLimits[1].pageSize: '02MB' is not a page's size: use a number and KB, MB or GB, as in 2MB")]
    [InlineData("hugepageLimits[0].pageSize", "\"0MB\"", "hugepageLimits[0].pageSize: '0MB' is not a page's size: use a number and KB, MB or GB, as in 2MB")]
    [InlineData("hugepageLimits[0].pageSize", "\"../2MB\"", "hugepageLimits[0].pageSize: '../2MB' is not a page's size: use a number and KB, MB or GB, as in 2MB")]
    [InlineData("network.priorities[0].name", "\"a b\"", "network.priorities[0].name: 'a b' cannot be the name of a network interface")]
    [InlineData("rdma", """{"a b":{"hcaHandles":1}}""", "rdma: 'a b' cannot be the name of a device")]
    [InlineData("rdma.rxe3", "{}", "rdma.rxe3: has neither hcaHandles nor hcaObjects")]
    [InlineData("unified", """{"a/b":"1"}""", "unified: 'a/b' is not the name of a control group's file")]
    [InlineData("unified", """{"..":"1"}""", "unified: '..' is not the name of a control group's file")]
    [InlineData("unified", """{"":"1"}""", "unified: '' is not the name of a control group's file")]
    [InlineData("unified", """{"io.max":"\u0000"}""", "unified.io.max: holds a NUL, where the kernel would cut it off")]
    public void A_broken_rule_is_named_with_its_path(string member, string value, string complaint) =>
        Assert.Equal("linux.resources." + complaint, WholeConfig.Complaint(WholeConfig.With("linux.resources." + member, value)));

    [Theory]
    [InlineData("memory", """{"limit":100000,"reservation":200000}""")]
    [InlineData("memory", """{"limit":0,"swap":0}""")]
    [InlineData("memory", """{"limit":100000,"swap":-1}""")]
    [InlineData("memory", """{"limit":-1,"swap":-1}""")]
    [InlineData("memory", """{"swap":100000}""")]
    [InlineData("cpu", """{"shares":0,"quota":0,"period":0}""")]
    [InlineData("cpu", """{"quota":-1,"burst":5,"idle":1}""")]
    [InlineData("cpu", """{"quota":1000,"burst":1000,"period":1000000,"shares":2}""")]
    [InlineData("pids", """{"limit":0}""")]
    [InlineData("pids", "{}")]
    [InlineData("blockIO", """{"weight":0}""")]
    [InlineData("devices", """[{"allow":true},{"allow":true,"type":"a","major":-1,"minor":-1,"access":"m"}]""")]
    public void What_the_specification_and_engines_do_is_fine(string member, string value) =>
        Assert.Null(WholeConfig.Complaint(WholeConfig.With("linux.resources." + member, value)));

    [Fact]
    public void Resources_alone_are_read_checked_and_written_with_paths_of_their_own()
    {
        var whole = WholeConfig.Config.Linux!.Resources!;
        var resources = RuntimeResources.Parse(whole.ToJson(), "r.json");
        resources.Check("r.json");
        Assert.Equal(whole.ToJson(), resources.ToJson());
        Assert.Equal(
            "r.json: pids.limit: -2 is negative: use -1 for no limit",
            Assert.Throws<SpecException>(() => RuntimeResources.Parse("""{"pids":{"limit":-2}}"""u8, "r.json").Check("r.json")).Message);
    }
}
