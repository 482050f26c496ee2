using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class CgroupUsageTests
{
    [KernelFact]
    public void All_that_a_group_uses_is_read()
    {
        using var test = new TestGroup(CgroupControllers.All);
        using var disk = new TemporaryDirectory();
        Assert.Empty(test.Group.Apply(new CgroupLimits { Memory = 64 << 20, Pids = 50, CpuQuota = 20_000, CpuPeriod = 100_000 }));
        var process = test.Start($"head -c 4m /dev/zero > {disk.Path}/file; sync; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exec sleep 1000");
        Wait.Until(() => File.ReadAllText($"/proc/{process.Id}/comm") == "sleep\n", () => "still counting");

        var usage = test.Group.ReadUsage();
        var has = test.Group.Controllers;
        var cpu = usage.Cpu!;
        Assert.True(cpu is { Total: > 1_000_000, User: > 0 }, $"{cpu}");
        if ((has & CgroupControllers.Cpu) != 0)
        {
            Assert.True(cpu.Throttling is { Periods: > 0, ThrottledPeriods: > 0, ThrottledTime: > 1000 }, $"{cpu}");
        }

        if ((has & CgroupControllers.Memory) != 0)
        {
            var memory = usage.Memory!;
            Assert.Equal(64UL << 20, memory.Memory.Limit);
            Assert.True(memory.Memory.Usage > 0 && memory.Cache <= memory.Memory.Usage && memory.Details.Count > 10, $"{memory}");
            Assert.True(memory.MemoryAndSwap is null || memory.MemoryAndSwap.Value.Limit > 64UL << 20, $"{memory}");
        }

        if ((has & CgroupControllers.Pids) != 0)
        {
            Assert.Equal(new PidsUsage(1, 50), usage.Pids);
        }

        if ((has & CgroupControllers.CpuSet) != 0)
        {
            Assert.Equal(Enumerable.Range(0, Environment.ProcessorCount).Select(number => (ushort)number), usage.CpuSet!.Processors);
            Assert.Contains((ushort)0, usage.CpuSet.MemoryNodes);
        }

        Assert.Equal((has & CgroupControllers.BlockIo) != 0, usage.BlockIo is not null);
        Assert.Equal((has & CgroupControllers.HugePages) != 0, usage.HugePages.Any(size => size.Key == "2MB"));
        if (!TestGroup.Unified)
        {
            // The total is read a little before.
            ulong sum = cpu.PerProcessor.Aggregate(0UL, (all, one) => all + one);
            Assert.True(sum >= cpu.Total && sum < cpu.Total + 100_000_000, $"{sum}, {cpu}");
            Assert.Contains(usage.CpuSet!.Settings, setting => setting is { Key: "sched_load_balance", Value: 1 });
        }
        else
        {
            Assert.True(cpu.Pressure is not null, $"{cpu}");
        }
    }

    [KernelFact]
    public void A_group_that_is_limited_in_nothing_says_so()
    {
        using var test = new TestGroup(CgroupControllers.Memory | CgroupControllers.Pids).Needs(CgroupControllers.Memory | CgroupControllers.Pids);
        var usage = test.Group.ReadUsage();
        Assert.True(usage.Memory!.Memory.Limit > 1UL << 62, $"{usage.Memory}");
        Assert.Equal(ulong.MaxValue, usage.Pids!.Value.Limit);
        Assert.Null(usage.BlockIo);
    }

    [KernelFact]
    public void Traffic_of_a_disk_is_counted()
    {
        using var test = new TestGroup(CgroupControllers.BlockIo).Needs(CgroupControllers.BlockIo);
        using var disk = new TestDisk(ownFile: true);
        Assert.Empty(test.Group.Apply(new CgroupLimits { BlockIo = [new(disk.Number, WriteBytes: 1 << 30)] }));
        Assert.Equal(0, test.Run($"dd if=/dev/zero of={disk.Path} bs=64k count=16 oflag=direct 2>/dev/null").ShellCode);
        var io = test.Group.ReadUsage().BlockIo!;
        Assert.Contains(io.Bytes, count => count == new BlockIoCount(disk.Number, "Write", 1 << 20));
        Assert.Contains(io.Operations, count => count is { Operation: "Write", Value: >= 16 } && count.Device == disk.Number);
    }

    [Fact]
    public void Pressure_is_read() => Assert.Equal(
        new Pressure(new PressureShare(1.5, 0.25, 0, 12345), new PressureShare(0, 0, 0.01, 7)),
        Cgroup.ParsePressure("some avg10=1.50 avg60=0.25 avg300=0.00 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.01 total=7\n"));

    [Theory]
    [InlineData("", new ushort[0])]
    [InlineData("0-3,7\n", new ushort[] { 0, 1, 2, 3, 7 })]
    public void Lists_of_processors_are_read(string text, ushort[] numbers) => Assert.Equal(numbers, Cgroup.ParseList(text));

    [KernelFact]
    public void Running_out_of_memory_is_told_and_counted()
    {
        using var test = new TestGroup(CgroupControllers.Memory).Needs(CgroupControllers.Memory);
        Assert.Empty(test.Group.Apply(new CgroupLimits { Memory = 16 << 20 }));
        using var events = test.Group.OpenOutOfMemoryEvents();
        test.Start("exec sleep 1000");
        Assert.True(events.Take() is 0 or null);
        Assert.Equal(0, events.Take());
        Assert.False(IsReadable(events, 0));
        test.Run("head -c 64m /dev/zero | tail -c 64m > /dev/null");
        Assert.True(IsReadable(events, 5000));
        Assert.True(events.Take() > 0);
        Assert.Equal(0, events.Take());
    }

    [KernelFact]
    public void A_watch_learns_that_its_group_is_gone()
    {
        using var test = new TestGroup(CgroupControllers.Memory).Needs(CgroupControllers.Memory);
        var process = test.Start("exec sleep 1000");
        using var events = test.Group.OpenOutOfMemoryEvents();
        Assert.Equal(0, events.Take());
        Processes.Kill(process.Id, Signal.Kill);
        process.Wait();
        test.Forget(process);
        test.Group.Remove();
        Assert.True(IsReadable(events, 5000));
        Assert.Null(events.Take());
    }

    static bool IsReadable(OutOfMemoryEvents events, int milliseconds) =>
        Polling.Wait([new PollEntry { Number = events.Descriptor.Number, Wanted = PollEvents.Readable }], milliseconds) > 0;
}
