using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Every limit, read back from the files of the control groups.</summary>
public sealed class ResourceTests
{
    /// <summary>Resources, the file that the kernel has for them, with the hierarchy before it in version 1, and a line of it.</summary>
    public static TheoryData<string, string, string> Limits => ControlGroups.AreUnified ? UnifiedLimits : LegacyLimits;

    static TheoryData<string, string, string> LegacyLimits => new()
    {
        { """{"memory":{"limit":67108864}}""", "memory/memory.limit_in_bytes", "67108864" },
        { """{"memory":{"limit":-1}}""", "memory/memory.limit_in_bytes", "9223372036854771712" },
        { """{"memory":{"reservation":33554432}}""", "memory/memory.soft_limit_in_bytes", "33554432" },
        { """{"memory":{"limit":67108864,"swap":134217728}}""", "memory/memory.memsw.limit_in_bytes", "134217728" },
        { """{"memory":{"kernelTCP":33554432}}""", "memory/memory.kmem.tcp.limit_in_bytes", "33554432" },
        { """{"memory":{"swappiness":17}}""", "memory/memory.swappiness", "17" },
        { """{"memory":{"swappiness":0}}""", "memory/memory.swappiness", "0" },
        { """{"memory":{"disableOOMKiller":true}}""", "memory/memory.oom_control", "oom_kill_disable 1" },
        { """{"memory":{"disableOOMKiller":false}}""", "memory/memory.oom_control", "oom_kill_disable 0" },
        { """{"memory":{"useHierarchy":true}}""", "memory/memory.use_hierarchy", "1" },
        { """{"cpu":{"shares":512}}""", "cpu/cpu.shares", "512" },
        { """{"cpu":{"quota":20000,"period":50000}}""", "cpu/cpu.cfs_quota_us", "20000" },
        { """{"cpu":{"quota":20000,"period":50000}}""", "cpu/cpu.cfs_period_us", "50000" },
        { """{"cpu":{"quota":-1}}""", "cpu/cpu.cfs_quota_us", "-1" },
        { """{"cpu":{"quota":20000,"burst":10000}}""", "cpu/cpu.cfs_burst_us", "10000" },
        { """{"cpu":{"idle":1}}""", "cpu/cpu.idle", "1" },
        { """{"cpu":{"realtimePeriod":500000,"realtimeRuntime":1000}}""", "cpu/cpu.rt_period_us", "500000" },
        { """{"cpu":{"realtimePeriod":500000,"realtimeRuntime":1000}}""", "cpu/cpu.rt_runtime_us", "1000" },
        { """{"cpu":{"cpus":"0"}}""", "cpuset/cpuset.cpus", "0" },
        { """{"cpu":{"cpus":"0-1","mems":"0"}}""", "cpuset/cpuset.mems", "0" },
        { """{"pids":{"limit":33}}""", "pids/pids.max", "33" },
        { """{"pids":{"limit":-1}}""", "pids/pids.max", "max" },
        { """{"blockIO":{"throttleReadBpsDevice":[{"major":254,"minor":0,"rate":1048576}]}}""", "blkio/blkio.throttle.read_bps_device", "254:0 1048576" },
        { """{"blockIO":{"throttleWriteBpsDevice":[{"major":254,"minor":0,"rate":2097152}]}}""", "blkio/blkio.throttle.write_bps_device", "254:0 2097152" },
        { """{"blockIO":{"throttleReadIOPSDevice":[{"major":254,"minor":0,"rate":100}]}}""", "blkio/blkio.throttle.read_iops_device", "254:0 100" },
        { """{"blockIO":{"throttleWriteIOPSDevice":[{"major":254,"minor":0,"rate":200}]}}""", "blkio/blkio.throttle.write_iops_device", "254:0 200" },
        { """{"blockIO":{"weight":500}}""", "blkio/blkio.bfq.weight", "500" },
    };

    static TheoryData<string, string, string> UnifiedLimits => new()
    {
        { """{"memory":{"limit":67108864}}""", "memory.max", "67108864" },
        { """{"memory":{"limit":-1}}""", "memory.max", "max" },
        { """{"memory":{"reservation":33554432}}""", "memory.low", "33554432" },
        { """{"memory":{"kernel":33554432}}""", "memory.max", "max" },
        { """{"memory":{"disableOOMKiller":false,"useHierarchy":true}}""", "memory.max", "max" },
        { """{"memory":{"limit":67108864,"swap":134217728}}""", "memory.swap.max", "67108864" },
        { """{"cpu":{"shares":512}}""", "cpu.weight", "59" },
        { """{"cpu":{"quota":20000,"period":50000}}""", "cpu.max", "20000 50000" },
        { """{"cpu":{"quota":-1}}""", "cpu.max", "max 100000" },
        { """{"cpu":{"quota":20000,"burst":10000}}""", "cpu.max.burst", "10000" },
        { """{"cpu":{"idle":1}}""", "cpu.idle", "1" },
        { """{"cpu":{"cpus":"0"}}""", "cpuset.cpus", "0" },
        { """{"cpu":{"cpus":"0-1","mems":"0"}}""", "cpuset.mems", "0" },
        { """{"pids":{"limit":33}}""", "pids.max", "33" },
        { """{"pids":{"limit":-1}}""", "pids.max", "max" },
        { """{"blockIO":{"throttleReadBpsDevice":[{"major":7,"minor":0,"rate":1048576}]}}""", "io.max", "7:0 rbps=1048576 wbps=max riops=max wiops=max" },
        { """{"blockIO":{"throttleWriteBpsDevice":[{"major":7,"minor":0,"rate":2097152}]}}""", "io.max", "7:0 rbps=max wbps=2097152 riops=max wiops=max" },
        { """{"blockIO":{"throttleReadIOPSDevice":[{"major":7,"minor":0,"rate":100}]}}""", "io.max", "7:0 rbps=max wbps=max riops=100 wiops=max" },
        { """{"blockIO":{"throttleWriteIOPSDevice":[{"major":7,"minor":0,"rate":200}]}}""", "io.max", "7:0 rbps=max wbps=max riops=max wiops=200" },
        { """{"blockIO":{"weight":500}}""", "io.bfq.weight", "default 500" },
        { """{"hugepageLimits":[{"pageSize":"2MB","limit":4194304}]}""", "hugetlb.2MB.max", "4194304" },
        { """{"unified":{"memory.high":"50331648"}}""", "memory.high", "50331648" },
        { """{"unified":{"cpu.max":"30000 60000","pids.max":"44"}}""", "cpu.max", "30000 60000" },
        { """{"unified":{"hugetlb.2MB.max":"2097152"}}""", "hugetlb.2MB.max", "2097152" },
    };

    // config-linux.md, "Memory", "CPU", "Block IO", "PIDs", "Huge page limits" and "Unified": each limit is in the file that the kernel has for it, at creation and when it is changed.
    [Theory]
    [MemberData(nameof(Limits))]
    public void A_limit_is_in_the_file_that_the_kernel_has_for_it(string resources, string file, string line)
    {
        var hierarchy = ControlGroups.AreUnified ? "" : file[..file.IndexOf('/')];
        Assert.SkipUnless(File.Exists(ControlGroups.Directory(hierarchy, "/cgroup.procs")), $"there is no {hierarchy} hierarchy");
        Assert.SkipWhen(NamesMissingDevice(resources), "there is no such block device");
        Assert.SkipWhen(file == "io.bfq.weight" && !Directory.Exists("/sys/module/bfq"), "the kernel has no scheduler for disks that has weights");
        using var machine = new OciMachine();
        string[] Lines(string group) => File.ReadAllLines($"{ControlGroups.Directory(hierarchy, $"/{group}")}/{Path.GetFileName(file)}");
        var bundle = WithResources(machine, resources);
        var name = OciMachine.NewId();
        bundle.Linux["cgroupsPath"] = $"/{name}";
        machine.Create(bundle.Write());
        Assert.Contains(line, Lines(name));
        bundle = machine.NewBundle("/bin/sleep", "1000");
        name = OciMachine.NewId();
        bundle.Linux["cgroupsPath"] = $"/{name}";
        var id = machine.Create(bundle.Write());
        File.WriteAllText($"{machine.Path}/resources.json", resources);
        Expectations.Succeeds(machine.Oci("update", $"--resources={machine.Path}/resources.json", id));
        Assert.Contains(line, Lines(name));
    }

    // What is limited first when the container runs already holds for all of its processes, and is gone with it.
    [Fact]
    public void A_running_container_gets_a_limit_of_a_controller_that_it_had_not()
    {
        Assert.SkipUnless(ControlGroups.AreUnified || File.Exists("/sys/fs/cgroup/cpuset/cgroup.procs"), "there is no cpuset hierarchy");
        using var machine = new OciMachine();
        var id = machine.Start(machine.Shell("sleep 1000 & sleep 1001 & wait").Write());
        OciMachine.Eventually(() => JsonNode.Parse(machine.Oci("ps", "--format=json", id).Output)!.AsArray().Count == 3, "all processes run");
        Expectations.Succeeds(machine.Oci("update", "--cpuset-cpus=0", id));
        foreach (var process in JsonNode.Parse(machine.Oci("ps", "--format=json", id).Output)!.AsArray())
        {
            Assert.Equal("0", Expectations.StatusOf(File.ReadAllText($"/proc/{process}/status"), "Cpus_allowed_list"));
        }

        var exec = machine.Oci("exec", id, "/bin/grep", "Cpus_allowed_list", "/proc/self/status");
        Assert.Equal("Cpus_allowed_list:\t0\n", exec.Output);
        machine.Stop(id);
        machine.HasNothingOf(id);
    }

    static bool NamesMissingDevice(string resources) =>
        JsonNode.Parse(resources)!["blockIO"]?.AsObject().FirstOrDefault().Value is JsonArray devices
        && devices.Any(device => !Directory.Exists($"/sys/dev/block/{device!["major"]}:{device["minor"]}"));

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

    /// <summary>Resources that this version of control groups cannot limit; in version 1 with the file that would say otherwise, in version 2 with a word of the reason.</summary>
    public static TheoryData<string, string> Impossible => ControlGroups.AreUnified ? ImpossibleUnified : ImpossibleLegacy;

    static TheoryData<string, string> ImpossibleLegacy => new()
    {
        { """{"unified":{"memory.max":"1048576"}}""", "cgroup.controllers" },
        { """{"unified":{"hugetlb.1GB.max":"1073741824"}}""", "cgroup.controllers" },
        { """{"hugepageLimits":[{"pageSize":"2MB","limit":2097152}]}""", "hugetlb" },
        { """{"network":{"classID":1048577}}""", "net_cls" },
        { """{"network":{"priorities":[{"name":"lo","priority":5}]}}""", "net_prio" },
        { """{"rdma":{"mlx5_1":{"hcaHandles":3}}}""", "rdma" },
        { """{"blockIO":{"leafWeight":500}}""", "blkio/blkio.leaf_weight" },
        { """{"blockIO":{"weightDevice":[{"major":254,"minor":0,"weight":500}]}}""", "blkio/blkio.weight_device" },
    };

    static TheoryData<string, string> ImpossibleUnified => new()
    {
        { """{"memory":{"kernelTCP":33554432}}""", "sockets" },
        { """{"memory":{"swappiness":17}}""", "swappiness" },
        { """{"memory":{"disableOOMKiller":true}}""", "always kills" },
        { """{"memory":{"useHierarchy":false}}""", "use_hierarchy" },
        { """{"cpu":{"realtimePeriod":500000,"realtimeRuntime":1000}}""", "real-time" },
        { """{"network":{"classID":1048577}}""", "packets" },
        { """{"unified":{"../memory.max":"1"}}""", "../memory.max" },
        { """{"unified":{"memory.max":"many"}}""", "memory.max" },
    };

    // runtime.md, "Create", and "Errors": a limit for which there is no file here is an error, and leaves no group behind.
    [Theory]
    [MemberData(nameof(Impossible))]
    public void A_limit_that_the_kernel_has_no_file_for_is_an_error(string resources, string fileOrReason)
    {
        Assert.SkipWhen(!ControlGroups.AreUnified && Path.Exists($"/sys/fs/cgroup/{fileOrReason}"), $"the kernel has {fileOrReason}");
        using var machine = new OciMachine();
        machine.Refuses(WithResources(machine, resources), "linux.resources", ControlGroups.AreUnified ? fileOrReason : "");
    }

    // config-linux.md, "Unified": files of version 2 whose controller is not there are an error.
    [Theory]
    [InlineData("nosuch.max", "1")]
    [InlineData("rdma.mlx5_1", "1")]
    public void A_file_of_a_controller_that_is_not_there_is_an_error(string file, string value)
    {
        using var machine = new OciMachine();
        machine.Refuses(WithResources(machine, $"{{\"unified\":{{\"{file}\":\"{value}\"}}}}"), "linux.resources", file);
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
