using Nacelle.Linux;

namespace Nacelle.Systemd.Tests;

public class SystemdLimitTests
{
    static readonly CgroupLimits Limits = new()
    {
        Memory = 64 << 20, MemoryAndSwap = 96 << 20, MemoryReservation = 1 << 20, CpuShares = 1024, CpuQuota = 33_333, CpuPeriod = 50_000, Pids = CgroupLimits.Unlimited,
        BlockIoWeight = 500, CpuSetProcessors = "0,9-10", CpuSetMemoryNodes = "0",
    };

    [Fact]
    public void Limits_are_told_in_the_words_of_version_2() => Assert.Equal(
        [
            $"MemoryMax=uint64 {64 << 20}", $"MemoryLow=uint64 {1 << 20}", $"MemorySwapMax=uint64 {32 << 20}", "CPUWeight=uint64 100", "IOWeight=uint64 4950",
            "AllowedCPUs=[byte 0x01, byte 0x06]", "AllowedMemoryNodes=[byte 0x01]", $"TasksMax=uint64 {ulong.MaxValue}",
            "CPUQuotaPeriodUSec=uint64 50000", "CPUQuotaPerSecUSec=uint64 670000",
        ], Text(Limits, unified: true));

    [Fact]
    public void Limits_are_told_in_the_words_of_version_1() => Assert.Equal(
        [
            $"MemoryLimit=uint64 {64 << 20}", "CPUShares=uint64 1024", "BlockIOWeight=uint64 500", $"TasksMax=uint64 {ulong.MaxValue}",
            "CPUQuotaPeriodUSec=uint64 50000", "CPUQuotaPerSecUSec=uint64 670000",
        ], Text(Limits, unified: false));

    [Fact]
    public void No_limit_is_told_as_infinity() => Assert.Equal(
        [$"MemoryMax=uint64 {ulong.MaxValue}", $"MemorySwapMax=uint64 {ulong.MaxValue}", "TasksMax=uint64 1", $"CPUQuotaPerSecUSec=uint64 {ulong.MaxValue}"],
        Text(new CgroupLimits { Memory = -1, MemoryAndSwap = -1, CpuQuota = -1, Pids = 0 }, unified: true));

    [Fact]
    public void Files_of_version_2_are_told_where_systemd_has_a_word_for_them() => Assert.Equal(
        [
            $"MemoryHigh=uint64 {5 << 20}", $"MemorySwapMax=uint64 {ulong.MaxValue}", "TasksMax=uint64 7", "CPUWeight=uint64 200", "CPUQuotaPeriodUSec=uint64 100000",
            "CPUQuotaPerSecUSec=uint64 500000", "AllowedCPUs=[byte 0x03]",
        ],
        Text(new CgroupLimits
        {
            Unified =
            [
                new("memory.high", $"{5 << 20}"), new("memory.swap.max", "max"), new("pids.max", "7"), new("cpu.weight", "200"), new("cpu.max", "50000 100000"),
                new("cpuset.cpus", "0-1"), new("hugetlb.2MB.max", "5"),
            ],
        }, unified: true));

    [Fact]
    public void Devices_are_told_as_a_list_of_what_is_allowed() => Assert.Equal(
        [
            "DevicePolicy='strict'", "DeviceAllow=@a(ss) []",
            "DeviceAllow=[('char-*', 'm'), ('/dev/char/1:3', 'rm'), ('char-mem', 'r'), ('/dev/char/1:3', 'rwm'), ('/dev/block/8:0', 'w'), ('/dev/char/8:0', 'w')]",
        ],
        Text(new CgroupLimits
        {
            Devices =
            [
                DeviceRule.AllowAll,
                DeviceRule.AllowAll with { Allow = false },
                new(true, DeviceKind.Character, null, null, DeviceAccess.MakeNode),
                new(true, DeviceKind.Character, 1, 3, DeviceAccess.All),
                new(true, DeviceKind.Character, 1, null, DeviceAccess.Read | DeviceAccess.Write),
                new(false, DeviceKind.Character, 1, null, DeviceAccess.Write),
                new(true, DeviceKind.Character, 1, 3, DeviceAccess.All),
                new(true, DeviceKind.Any, 8, 0, DeviceAccess.Write),
            ],
        }, unified: true));

    [Fact]
    public void Everything_allowed_is_told_as_no_policy() =>
        Assert.Equal(["DevicePolicy='auto'", "DeviceAllow=@a(ss) []"], Text(new CgroupLimits { Devices = [DeviceRule.AllowAll] }, unified: true));

    [Theory]
    [InlineData("3-1")]
    [InlineData("a")]
    [InlineData("0-100000")]
    [InlineData("1-2-3")]
    public void What_is_no_list_of_processors_is_refused(string list) => Assert.Throws<ArgumentException>(() => SystemdLimits.Bits(list));

    static IEnumerable<string> Text(CgroupLimits limits, bool unified) => SystemdLimits.Properties(limits, unified).Select(property => $"{property}");
}
