using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Every limit, read back from the files of the control groups.</summary>
public sealed class ResourceTests
{
    // config-linux.md, "Memory", "CPU", "Block IO" and "PIDs": each limit is in the file that the kernel has for it.
    [Theory]
    [InlineData("""{"memory":{"limit":67108864}}""", "memory/memory.limit_in_bytes", "67108864")]
    [InlineData("""{"memory":{"limit":-1}}""", "memory/memory.limit_in_bytes", "9223372036854771712")]
    [InlineData("""{"memory":{"reservation":33554432}}""", "memory/memory.soft_limit_in_bytes", "33554432")]
    [InlineData("""{"memory":{"limit":67108864,"swap":134217728}}""", "memory/memory.memsw.limit_in_bytes", "134217728")]
    [InlineData("""{"memory":{"kernelTCP":33554432}}""", "memory/memory.kmem.tcp.limit_in_bytes", "33554432")]
    [InlineData("""{"memory":{"swappiness":17}}""", "memory/memory.swappiness", "17")]
    [InlineData("""{"memory":{"swappiness":0}}""", "memory/memory.swappiness", "0")]
    [InlineData("""{"memory":{"disableOOMKiller":true}}""", "memory/memory.oom_control", "oom_kill_disable 1")]
    [InlineData("""{"memory":{"disableOOMKiller":false}}""", "memory/memory.oom_control", "oom_kill_disable 0")]
    [InlineData("""{"memory":{"useHierarchy":true}}""", "memory/memory.use_hierarchy", "1")]
    [InlineData("""{"cpu":{"shares":512}}""", "cpu/cpu.shares", "512")]
    [InlineData("""{"cpu":{"quota":20000,"period":50000}}""", "cpu/cpu.cfs_quota_us", "20000")]
    [InlineData("""{"cpu":{"quota":20000,"period":50000}}""", "cpu/cpu.cfs_period_us", "50000")]
    [InlineData("""{"cpu":{"quota":-1}}""", "cpu/cpu.cfs_quota_us", "-1")]
    [InlineData("""{"cpu":{"quota":20000,"burst":10000}}""", "cpu/cpu.cfs_burst_us", "10000")]
    [InlineData("""{"cpu":{"idle":1}}""", "cpu/cpu.idle", "1")]
    [InlineData("""{"cpu":{"realtimePeriod":500000,"realtimeRuntime":1000}}""", "cpu/cpu.rt_period_us", "500000")]
    [InlineData("""{"cpu":{"realtimePeriod":500000,"realtimeRuntime":1000}}""", "cpu/cpu.rt_runtime_us", "1000")]
    [InlineData("""{"cpu":{"cpus":"0"}}""", "cpuset/cpuset.cpus", "0")]
    [InlineData("""{"cpu":{"cpus":"0-1","mems":"0"}}""", "cpuset/cpuset.mems", "0")]
    [InlineData("""{"pids":{"limit":33}}""", "pids/pids.max", "33")]
    [InlineData("""{"pids":{"limit":-1}}""", "pids/pids.max", "max")]
    [InlineData("""{"blockIO":{"throttleReadBpsDevice":[{"major":254,"minor":0,"rate":1048576}]}}""", "blkio/blkio.throttle.read_bps_device", "254:0 1048576")]
    [InlineData("""{"blockIO":{"throttleWriteBpsDevice":[{"major":254,"minor":0,"rate":2097152}]}}""", "blkio/blkio.throttle.write_bps_device", "254:0 2097152")]
    [InlineData("""{"blockIO":{"throttleReadIOPSDevice":[{"major":254,"minor":0,"rate":100}]}}""", "blkio/blkio.throttle.read_iops_device", "254:0 100")]
    [InlineData("""{"blockIO":{"throttleWriteIOPSDevice":[{"major":254,"minor":0,"rate":200}]}}""", "blkio/blkio.throttle.write_iops_device", "254:0 200")]
    [InlineData("""{"blockIO":{"weight":500}}""", "blkio/blkio.bfq.weight", "500")]
    public void A_limit_is_in_the_file_that_the_kernel_has_for_it(string resources, string file, string line)
    {
        Assert.SkipUnless(File.Exists($"/sys/fs/cgroup/{file[..file.IndexOf('/')]}/cgroup.procs"), "there is no such hierarchy of version 1");
        Assert.SkipWhen(resources.Contains("254", StringComparison.Ordinal) && !Directory.Exists("/sys/dev/block/254:0"), "there is no block device 254:0");
        using var machine = new OciMachine();
        var bundle = WithResources(machine, resources);
        var name = OciMachine.NewId();
        bundle.Linux["cgroupsPath"] = $"/{name}";
        machine.Create(bundle.Write());
        Assert.Contains(line, File.ReadAllLines($"/sys/fs/cgroup/{file.Replace("/", $"/{name}/", StringComparison.Ordinal)}"));
    }

    // config-linux.md, "Memory", "CPU", "Block IO", "PIDs", "Huge page limits" and "Unified": the same in version 2; and update changes it for one that runs.
    [Theory]
    [InlineData("""{"memory":{"limit":67108864}}""", "memory.max", "67108864")]
    [InlineData("""{"memory":{"limit":-1}}""", "memory.max", "max")]
    [InlineData("""{"memory":{"reservation":33554432}}""", "memory.low", "33554432")]
    [InlineData("""{"memory":{"kernel":33554432}}""", "memory.max", "max")]
    [InlineData("""{"memory":{"disableOOMKiller":false,"useHierarchy":true}}""", "memory.max", "max")]
    [InlineData("""{"memory":{"limit":67108864,"swap":134217728}}""", "memory.swap.max", "67108864")]
    [InlineData("""{"cpu":{"shares":512}}""", "cpu.weight", "59")]
    [InlineData("""{"cpu":{"quota":20000,"period":50000}}""", "cpu.max", "20000 50000")]
    [InlineData("""{"cpu":{"quota":-1}}""", "cpu.max", "max 100000")]
    [InlineData("""{"cpu":{"quota":20000,"burst":10000}}""", "cpu.max.burst", "10000")]
    [InlineData("""{"cpu":{"idle":1}}""", "cpu.idle", "1")]
    [InlineData("""{"cpu":{"cpus":"0"}}""", "cpuset.cpus", "0")]
    [InlineData("""{"cpu":{"cpus":"0-1","mems":"0"}}""", "cpuset.mems", "0")]
    [InlineData("""{"pids":{"limit":33}}""", "pids.max", "33")]
    [InlineData("""{"pids":{"limit":-1}}""", "pids.max", "max")]
    [InlineData("""{"blockIO":{"throttleReadBpsDevice":[{"major":7,"minor":0,"rate":1048576}]}}""", "io.max", "7:0 rbps=1048576 wbps=max riops=max wiops=max")]
    [InlineData("""{"blockIO":{"throttleWriteBpsDevice":[{"major":7,"minor":0,"rate":2097152}]}}""", "io.max", "7:0 rbps=max wbps=2097152 riops=max wiops=max")]
    [InlineData("""{"blockIO":{"throttleReadIOPSDevice":[{"major":7,"minor":0,"rate":100}]}}""", "io.max", "7:0 rbps=max wbps=max riops=100 wiops=max")]
    [InlineData("""{"blockIO":{"throttleWriteIOPSDevice":[{"major":7,"minor":0,"rate":200}]}}""", "io.max", "7:0 rbps=max wbps=max riops=max wiops=200")]
    [InlineData("""{"blockIO":{"weight":500}}""", "io.bfq.weight", "default 500")]
    [InlineData("""{"hugepageLimits":[{"pageSize":"2MB","limit":4194304}]}""", "hugetlb.2MB.max", "4194304")]
    [InlineData("""{"unified":{"memory.high":"50331648"}}""", "memory.high", "50331648")]
    [InlineData("""{"unified":{"cpu.max":"30000 60000","pids.max":"44"}}""", "cpu.max", "30000 60000")]
    [InlineData("""{"unified":{"hugetlb.2MB.max":"2097152"}}""", "hugetlb.2MB.max", "2097152")]
    public void A_limit_is_in_the_file_of_version_2_that_the_kernel_has_for_it(string resources, string file, string line)
    {
        Assert.SkipUnless(ControlGroups.AreUnified, "the control groups are not of version 2");
        Assert.SkipWhen(resources.Contains("\"major\":7,", StringComparison.Ordinal) && !Directory.Exists("/sys/dev/block/7:0"), "there is no block device 7:0");
        Assert.SkipWhen(file == "memory.swap.max" && !File.Exists("/proc/swaps"), "the kernel counts no swap");
        using var machine = new OciMachine();
        var bundle = WithResources(machine, resources);
        Assert.SkipWhen(file == "io.bfq.weight" && !Directory.Exists("/sys/module/bfq"), "the kernel has no scheduler for disks that has weights");
        var id = machine.Create(bundle.Write());
        Assert.Contains(line, File.ReadAllLines($"/sys/fs/cgroup/{id}/{file}"));
        var other = machine.Create(machine.NewBundle("/bin/sleep", "1000").Write());
        var update = $"{machine.Path}/resources.json";
        File.WriteAllText(update, resources);
        Expectations.Succeeds(machine.Oci("update", $"--resources={update}", other));
        Assert.Contains(line, File.ReadAllLines($"/sys/fs/cgroup/{other}/{file}"));
    }

    // runtime.md, "Create", and "Errors": what version 2 cannot do is an error that says so, and leaves no group behind.
    [Theory]
    [InlineData("""{"memory":{"kernelTCP":33554432}}""", "sockets")]
    [InlineData("""{"memory":{"swappiness":17}}""", "swappiness")]
    [InlineData("""{"memory":{"disableOOMKiller":true}}""", "always kills")]
    [InlineData("""{"memory":{"useHierarchy":false}}""", "use_hierarchy")]
    [InlineData("""{"cpu":{"realtimePeriod":500000,"realtimeRuntime":1000}}""", "real-time")]
    [InlineData("""{"network":{"classID":1048577}}""", "packets")]
    [InlineData("""{"unified":{"nosuch.max":"1"}}""", "nosuch.max")]
    [InlineData("""{"unified":{"../memory.max":"1"}}""", "../memory.max")]
    [InlineData("""{"unified":{"memory.max":"many"}}""", "memory.max")]
    public void What_version_2_cannot_do_is_an_error(string resources, string word)
    {
        Assert.SkipUnless(ControlGroups.AreUnified, "the control groups are not of version 2");
        using var machine = new OciMachine();
        machine.Refuses(WithResources(machine, resources), "linux.resources", word);
    }

    // config-linux.md, "Memory", checkBeforeUpdate: a limit below what is in use is refused, and nobody is killed.
    [Fact]
    public void Memory_in_use_is_not_taken_away_where_that_is_asked_for()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("x=$(head -c 24000000 /dev/zero | tr '\\0' x); touch /data/ready; sleep 1000; true");
        var shared = machine.Share(bundle);
        var id = machine.Start(bundle.Write());
        OciMachine.Eventually(() => File.Exists($"{shared}/ready"), "the memory is in use");
        var update = $"{machine.Path}/resources.json";
        File.WriteAllText(update, """{"memory":{"limit":8000000,"checkBeforeUpdate":true}}""");
        Expectations.Fails(machine.Oci("update", $"--resources={update}", id), ControlGroups.AreUnified ? "in use" : "memory.limit_in_bytes");
        Assert.Equal("running", machine.Status(id));
    }

    // What the user reads where the memory does not even do for the start.
    [Fact]
    public void A_container_that_memory_does_not_suffice_for_is_told_from_other_failures()
    {
        using var machine = new OciMachine();
        machine.Refuses(WithResources(machine, """{"memory":{"limit":8192}}"""), "linux.resources.memory", "limit");
    }

    // runtime.md, "Create", and "Errors": a limit for which there is no file here is an error, and leaves no group behind.
    [Theory]
    [InlineData("""{"hugepageLimits":[{"pageSize":"2MB","limit":2097152}]}""", "hugetlb")]
    [InlineData("""{"network":{"classID":1048577}}""", "net_cls")]
    [InlineData("""{"network":{"priorities":[{"name":"lo","priority":5}]}}""", "net_prio")]
    [InlineData("""{"rdma":{"mlx5_1":{"hcaHandles":3}}}""", "rdma")]
    [InlineData("""{"blockIO":{"leafWeight":500}}""", "blkio/blkio.leaf_weight")]
    [InlineData("""{"blockIO":{"weightDevice":[{"major":254,"minor":0,"weight":500}]}}""", "blkio/blkio.weight_device")]
    public void A_limit_that_the_kernel_has_no_file_for_is_an_error(string resources, string file)
    {
        Assert.SkipWhen(ControlGroups.AreUnified, "the control groups are of version 2");
        Assert.SkipWhen(Path.Exists($"/sys/fs/cgroup/{file}"), $"the kernel has {file}");
        using var machine = new OciMachine();
        machine.Refuses(WithResources(machine, resources), "linux.resources");
    }

    // config-linux.md, "Unified": files of version 2 whose controller is not there are an error.
    [Theory]
    [InlineData("memory.max", "1048576")]
    [InlineData("nosuch.max", "1")]
    [InlineData("hugetlb.1GB.max", "1073741824")]
    public void A_file_of_a_controller_that_is_not_there_is_an_error(string file, string value)
    {
        Assert.SkipWhen(ControlGroups.AreUnified, "the control groups are of version 2");
        using var machine = new OciMachine();
        machine.Refuses(WithResources(machine, $"{{\"unified\":{{\"{file}\":\"{value}\"}}}}"), "linux.resources");
    }

    // runtime.md, "Create": a value that the kernel does not take is an error, and leaves no group behind.
    [Theory]
    [InlineData("""{"cpu":{"cpus":"77"}}""")]
    [InlineData("""{"cpu":{"mems":"77"}}""")]
    [InlineData("""{"blockIO":{"throttleReadBpsDevice":[{"major":777,"minor":0,"rate":1048576}]}}""")]
    public void A_value_that_the_kernel_does_not_take_is_an_error(string resources)
    {
        using var machine = new OciMachine();
        machine.Refuses(WithResources(machine, resources));
    }

    // config-linux.md, "Memory", "CPU", "Block IO" and "RDMA": values that cannot be, or not together, are refused.
    [Theory]
    [InlineData("""{"memory":{"swappiness":101}}""", "memory.swappiness")]
    [InlineData("""{"memory":{"limit":100000,"swap":50000}}""", "memory.swap")]
    [InlineData("""{"memory":{"limit":-2}}""", "memory.limit")]
    [InlineData("""{"cpu":{"quota":1000,"burst":2000}}""", "cpu.burst")]
    [InlineData("""{"cpu":{"cpus":"a-b"}}""", "cpu.cpus")]
    [InlineData("""{"cpu":{"idle":2}}""", "cpu.idle")]
    [InlineData("""{"blockIO":{"weightDevice":[{"major":8,"minor":0}]}}""", "blockIO.weightDevice[0]")]
    [InlineData("""{"blockIO":{"weightDevice":[{"minor":0,"weight":10}]}}""", "blockIO.weightDevice[0].major")]
    [InlineData("""{"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0}]}}""", "blockIO.throttleReadBpsDevice[0].rate")]
    [InlineData("""{"rdma":{"mlx5_1":{}}}""", "rdma.mlx5_1")]
    [InlineData("""{"hugepageLimits":[{"pageSize":"2 MiB","limit":1}]}""", "hugepageLimits[0].pageSize")]
    [InlineData("""{"hugepageLimits":[{"pageSize":"2MB"}]}""", "hugepageLimits[0].limit")]
    [InlineData("""{"network":{"priorities":[{"name":"eth0"}]}}""", "network.priorities[0].priority")]
    [InlineData("""{"pids":{"limit":-2}}""", "pids.limit")]
    public void Values_that_cannot_be_are_refused(string resources, string path)
    {
        using var machine = new OciMachine();
        machine.Refuses(WithResources(machine, resources), "config.json", $"linux.resources.{path}");
    }

    // config-linux.md, "PIDs": the limit holds, for a shell that wants to be more than it may.
    [Fact]
    public void A_limit_holds()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("sleep 1000 & sleep 1000 & sleep 1000 & echo unlimited");
        bundle.Resources["pids"] = new JsonObject { ["limit"] = 3 };
        var run = machine.RunBundle(bundle.Write());
        Assert.DoesNotContain("unlimited", run.Output, StringComparison.Ordinal);
        Assert.Contains("can't fork", run.Errors, StringComparison.Ordinal);
    }

    static Bundle WithResources(OciMachine machine, string resources)
    {
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        foreach (var (name, value) in JsonNode.Parse(resources)!.AsObject())
        {
            bundle.Resources[name] = value!.DeepClone();
        }

        return bundle;
    }
}
