using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Nacelle.Specs.Tests;

/// <summary>A valid config.json in which every member that the specification has for Linux appears.</summary>
static class WholeConfig
{
    public const string Json = """
        {"ociVersion":"1.3.0","hostname":"host","domainname":"domain.test","root":{"path":"rootfs","readonly":true},
         "process":{"terminal":true,"consoleSize":{"height":24,"width":80},"user":{"uid":1,"gid":2,"umask":18,"additionalGids":[3,4]},
           "args":["sh","-c","exit 7"],"env":["PATH=/bin","EMPTY="],"cwd":"/work",
           "capabilities":{"bounding":["CAP_KILL","CAP_CHOWN"],"effective":["CAP_KILL"],"inheritable":["CAP_KILL"],"permitted":["CAP_KILL"],"ambient":["CAP_KILL"]},
           "rlimits":[{"type":"RLIMIT_NOFILE","soft":1,"hard":18446744073709551615},{"type":"RLIMIT_CORE","soft":0,"hard":0}],
           "noNewPrivileges":true,"apparmorProfile":"profile","selinuxLabel":"system_u:system_r:container_t:s0","oomScoreAdj":-5,
           "scheduler":{"policy":"SCHED_DEADLINE","nice":0,"priority":0,"flags":["SCHED_FLAG_RECLAIM","SCHED_FLAG_DL_OVERRUN"],"runtime":1000000,"deadline":2000000,"period":3000000},
           "ioPriority":{"class":"IOPRIO_CLASS_BE","priority":4},"execCPUAffinity":{"initial":"7","final":"0-3,7"}},
         "mounts":[{"destination":"/proc","type":"proc","source":"proc","options":["nosuid","ro"]},
           {"destination":"/data","type":"none","source":"/srv/data","options":["rbind","ridmap"],
            "uidMappings":[{"containerID":0,"hostID":1000,"size":10}],"gidMappings":[{"containerID":0,"hostID":2000,"size":20}]}],
         "hooks":{"prestart":[{"path":"/bin/a","args":["a","b"],"env":["K=V"],"timeout":5}],"createRuntime":[{"path":"/bin/b"}],"createContainer":[{"path":"/bin/c"}],
           "startContainer":[{"path":"/bin/d"}],"poststart":[{"path":"/bin/e"}],"poststop":[{"path":"/bin/f"},{"path":"/bin/g","timeout":1}]},
         "annotations":{"org.example.a":"b","org.example.empty":""},
         "linux":{
           "namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/a"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"user"},{"type":"cgroup"},{"type":"time"}],
           "uidMappings":[{"containerID":0,"hostID":1000,"size":1},{"containerID":1,"hostID":100000,"size":65535}],
           "gidMappings":[{"containerID":0,"hostID":1000,"size":65536}],
           "timeOffsets":{"monotonic":{"secs":172800,"nanosecs":0},"boottime":{"secs":-5,"nanosecs":999999999}},
           "devices":[{"path":"/dev/fuse","type":"c","major":10,"minor":229,"fileMode":438,"uid":0,"gid":5},{"path":"/srv/disk","type":"b","major":8,"minor":0}],
           "netDevices":{"eth1":{"name":"inner%d"},"eth2":{}},
           "cgroupsPath":"/pods/a",
           "resources":{
             "devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}],
             "memory":{"limit":536870912,"reservation":268435456,"swap":1073741824,"kernel":-1,"kernelTCP":-1,"swappiness":60,
               "disableOOMKiller":false,"useHierarchy":true,"checkBeforeUpdate":true},
             "cpu":{"shares":1024,"quota":50000,"burst":10000,"period":100000,"realtimeRuntime":95000,"realtimePeriod":100000,"cpus":"0-3,7","mems":"0","idle":0},
             "pids":{"limit":100},
             "blockIO":{"weight":100,"leafWeight":200,"weightDevice":[{"major":8,"minor":0,"weight":500,"leafWeight":300},{"major":8,"minor":16,"weight":500}],
               "throttleReadBpsDevice":[{"major":8,"minor":0,"rate":600}],"throttleWriteBpsDevice":[{"major":8,"minor":0,"rate":601}],
               "throttleReadIOPSDevice":[{"major":8,"minor":0,"rate":602}],"throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":603}]},
             "hugepageLimits":[{"pageSize":"2MB","limit":209715200},{"pageSize":"64KB","limit":9223372036854775808}],
             "network":{"classID":1048577,"priorities":[{"name":"eth0","priority":500}]},
             "rdma":{"mlx5_1":{"hcaHandles":3,"hcaObjects":10000},"rxe3":{"hcaObjects":1}},
             "unified":{"io.max":"259:0 rbps=2097152","memory.high":"max"}},
           "intelRdt":{"closID":"guaranteed","l3CacheSchema":"L3:0=7f0;1=1f","memBwSchema":"MB:0=20;1=70","schemata":["L2:0=f"],
             "enableMonitoring":true,"enableCMT":true,"enableMBM":true},
           "memoryPolicy":{"mode":"MPOL_INTERLEAVE","nodes":"0-3,7","flags":["MPOL_F_STATIC_NODES"]},
           "sysctl":{"net.ipv4.ip_forward":"1","kernel.shmmax":"1"},
           "seccomp":{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],
             "flags":["SECCOMP_FILTER_FLAG_LOG"],"listenerPath":"/run/agent.sock","listenerMetadata":"opaque",
             "syscalls":[{"names":["read","write"],"action":"SCMP_ACT_ALLOW",
                 "args":[{"index":0,"value":18446744073709551615,"valueTwo":1,"op":"SCMP_CMP_MASKED_EQ"},{"index":5,"value":0,"valueTwo":0,"op":"SCMP_CMP_EQ"}]},
               {"names":["mknod"],"action":"SCMP_ACT_NOTIFY"},{"names":["bpf"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]},
           "rootfsPropagation":"slave","maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/sys"],"mountLabel":"system_u:object_r:container_file_t:s0",
           "personality":{"domain":"LINUX32"}}}
        """;

    public static RuntimeConfig Config => RuntimeConfig.Parse(Encoding.UTF8.GetBytes(Json), "config.json");

    /// <summary>The document with one member put in another's place.</summary>
    /// <param name="path">As in <c>process.rlimits[1].type</c>.</param>
    /// <param name="value">JSON; null stands for nothing.</param>
    public static string With(string path, string value)
    {
        var document = JsonNode.Parse(Json)!;
        var steps = path.Replace("[", ".[", StringComparison.Ordinal).Split('.');
        var above = steps[..^1].Aggregate(document, (node, step) => step[0] == '[' ? node[Index(step)]! : node[step]!);
        if (steps[^1] is ['[', ..] last)
        {
            above[Index(last)] = JsonNode.Parse(value);
        }
        else
        {
            above[steps[^1]] = JsonNode.Parse(value);
        }

        return document.ToJsonString();
    }

    /// <summary>What is said against the document, without its source; null where nothing is.</summary>
    public static string? Complaint(string json)
    {
        try
        {
            RuntimeConfig.Parse(Encoding.UTF8.GetBytes(json), "config.json").Check("config.json");
            return null;
        }
        catch (SpecException problem)
        {
            Assert.StartsWith("config.json: " + problem.Path, problem.Message, StringComparison.Ordinal);
            return problem.Message["config.json: ".Length..];
        }
    }

    static int Index(string step) => int.Parse(step[1..^1], CultureInfo.InvariantCulture);
}
