using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Every limit, read back from the files of version 1 control groups.</summary>
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
        Assert.SkipWhen(File.Exists("/sys/fs/cgroup/cgroup.controllers"), "the machine has version 2 of control groups");
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
