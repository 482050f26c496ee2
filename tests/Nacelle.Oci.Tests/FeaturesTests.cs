using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>What the runtime says of itself, against what it does.</summary>
public sealed class FeaturesTests
{
    static readonly JsonNode Features = JsonNode.Parse(OciMachine.Run(OciMachine.Program, "features").Output)!;

    // features.md, "Specification versions": both ends are there, and the greater one is not less.
    [Fact]
    public void The_versions_are_an_order()
    {
        Assert.True(Version.Parse((string)Features["ociVersionMin"]!) <= Version.Parse((string)Features["ociVersionMax"]!));
        Assert.Equal("1.3.0", (string?)Features["ociVersionMax"]);
    }

    // features.md, ociVersionMin and ociVersionMax: a config.json of either is taken, as of what lies between.
    [Theory]
    [InlineData("ociVersionMin")]
    [InlineData("ociVersionMax")]
    [InlineData(null)]
    public void A_configuration_of_either_version_is_taken(string? member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/echo", "runs");
        bundle.Config["ociVersion"] = member is null ? "1.1.0-rc.1+build" : (string)Features[member]!;
        Assert.Equal("runs", machine.OutputOf(bundle));
    }

    // features.md, ociVersionMax: there is no member that this version of the specification has not.
    [Fact]
    public void There_are_no_unknown_members()
    {
        Assert.Subset(
            new HashSet<string> { "ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations", "potentiallyUnsafeConfigAnnotations" },
            Features.AsObject().Select(member => member.Key).ToHashSet());
        Assert.Subset(
            new HashSet<string> { "namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "intelRdt", "memoryPolicy", "mountExtensions", "netDevices" },
            Features["linux"]!.AsObject().Select(member => member.Key).ToHashSet());
    }

    // features.md, "Hooks": each kind that is listed runs.
    [Fact]
    public void Every_listed_kind_of_hook_runs()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        var shared = machine.Share(bundle);
        string[] kinds = [.. Words(Features["hooks"])];
        foreach (var kind in kinds)
        {
            bundle.AddHook(kind, $"touch {(kind == "startContainer" ? "/data" : shared)}/{kind}");
        }

        machine.OutputOf(bundle);
        Assert.Equal(kinds.Order(StringComparer.Ordinal), Directory.GetFiles(shared).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        Assert.Equal(["createContainer", "createRuntime", "poststart", "poststop", "prestart", "startContainer"], kinds.Order(StringComparer.Ordinal));
    }

    // features.md, "Mount Options": each option that is listed is recognized, so that no file system is asked about it.
    [Fact]
    public void Every_listed_mount_option_is_recognized()
    {
        using var machine = new OciMachine();
        using var volume = HostMount.Make($"{machine.Path}/volume");
        var bundle = machine.NewBundle("/bin/echo", "runs");
        bundle.AddMount("/data", "tmpfs", "tmpfs");
        foreach (var option in Words(Features["mountOptions"]))
        {
            if (option is "idmap" or "ridmap" && !IsKernel(6, 3))
            {
                continue; // the volume is a tmpfs, which has mapped owners since then
            }

            bundle.AddMount($"/data/{option}", "none", volume.Path, "bind", option);
            var mount = bundle.Config["mounts"]!.AsArray()[^1]!;
            switch (option)
            {
                case "idmap" or "ridmap":
                    mount["uidMappings"] = JsonNode.Parse("""[{"containerID":0,"hostID":0,"size":10}]""");
                    mount["gidMappings"] = JsonNode.Parse("""[{"containerID":0,"hostID":0,"size":10}]""");
                    break;
                case "remount":
                    mount["destination"] = "/data";
                    break;
                case "tmpcopyup":
                    mount["type"] = "tmpfs";
                    mount["source"] = "tmpfs";
                    mount["options"] = Expectations.List("tmpcopyup");
                    break;
            }
        }

        Assert.Equal("runs", machine.OutputOf(bundle));
    }

    // features.md, "Mount Options": every option that the specification wants is listed.
    [Fact]
    public void Every_mount_option_that_must_be_there_is_listed()
    {
        string[] must =
        [
            "async", "atime", "bind", "defaults", "dev", "diratime", "dirsync", "exec", "iversion", "lazytime", "loud", "noatime", "nodev", "nodiratime", "noexec", "noiversion",
            "nolazytime", "norelatime", "nostrictatime", "nosuid", "private", "rbind", "relatime", "remount", "ro", "rprivate", "rshared", "rslave", "runbindable", "rw", "shared",
            "silent", "slave", "strictatime", "suid", "sync", "unbindable",
        ];
        Assert.Subset(Words(Features["mountOptions"]).ToHashSet(), must.ToHashSet());
    }

    // features-linux.md, "Namespaces": each type that is listed is recognized.
    [Fact]
    public void Every_listed_namespace_can_be_made()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.SetUsers();
        string[] types = [.. Words(Features["linux"]!["namespaces"])];
        foreach (var type in types.Where(type => type != "user"))
        {
            bundle.SetNamespace(type);
        }

        var id = machine.Create(bundle.Write());
        Assert.All(types, type => Assert.NotEqual(Expectations.NamespaceOf(Environment.ProcessId, type), Expectations.NamespaceOf(machine.Pid(id), type)));
        Assert.Equal(8, types.Length);
    }

    // features-linux.md, "Capabilities": the capabilities that are listed are the kernel's, and are recognized.
    [Fact]
    public void Every_listed_capability_is_recognized()
    {
        using var machine = new OciMachine();
        string[] capabilities = [.. Words(Features["linux"]!["capabilities"])];
        var status = File.ReadAllText("/proc/self/status");
        var own = Convert.ToUInt64(Expectations.StatusOf(status, "CapBnd"), 16);
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/status");
        bundle.Process["capabilities"] = new JsonObject();
        bundle.Process["capabilities"]!["bounding"] = Expectations.List(capabilities);
        Assert.Equal(own, Convert.ToUInt64(Expectations.StatusOf(machine.OutputOf(bundle), "CapBnd"), 16));
        Assert.Equal(int.Parse(File.ReadAllText("/proc/sys/kernel/cap_last_cap")) + 1, capabilities.Length);
    }

    // features-linux.md, "Seccomp": actions, operators, architectures and flags that are listed are recognized.
    [Fact]
    public void Everything_that_is_listed_for_seccomp_is_recognized()
    {
        using var machine = new OciMachine();
        using var socket = new ListeningSocket($"{machine.Path}/listener");
        var seccomp = Features["linux"]!["seccomp"]!;
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var filter = SeccompTests.Filter("SCMP_ACT_ALLOW");
        filter["listenerPath"] = socket.Path;
        filter["architectures"] = seccomp["archs"]!.DeepClone();
        filter["flags"] = seccomp["supportedFlags"]!.DeepClone();
        filter["flags"]!.AsArray().Remove(filter["flags"]!.AsArray().FirstOrDefault(flag => (string)flag! == "SECCOMP_FILTER_FLAG_TSYNC")); // not with a listener: seccomp(2)
        foreach (var action in Words(seccomp["actions"]))
        {
            filter["syscalls"]!.AsArray().Add((JsonNode)SeccompTests.Rule(action, "swapon"));
        }

        foreach (var op in Words(seccomp["operators"]))
        {
            var rule = SeccompTests.Rule("SCMP_ACT_ERRNO", "swapoff");
            rule["args"] = new JsonArray(new JsonObject { ["index"] = 0, ["value"] = 1, ["op"] = op });
            filter["syscalls"]!.AsArray().Add((JsonNode)rule);
        }

        bundle.Linux["seccomp"] = filter;
        machine.Create(bundle.Write());
        Assert.All(socket.Take().Descriptors, descriptor => descriptor.Dispose());
        Assert.Equal(9, Words(seccomp["actions"]).Count());
        Assert.Equal(7, Words(seccomp["operators"]).Count());
        Assert.True((bool?)seccomp["enabled"]);
        Assert.Subset(Words(seccomp["knownFlags"]).ToHashSet(), Words(seccomp["supportedFlags"]).ToHashSet());
    }

    // features-linux.md, "Memory Policy": modes and flags that are listed are recognized.
    [Fact]
    public void Everything_that_is_listed_for_memory_policies_is_recognized()
    {
        Assert.SkipUnless(File.Exists("/proc/self/numa_maps"), "the kernel has no memory policies");
        using var machine = new OciMachine();
        var policy = Features["linux"]!["memoryPolicy"]!;
        foreach (var mode in Words(policy["modes"]))
        {
            var bundle = machine.NewBundle("/bin/true");
            bundle.Linux["memoryPolicy"] = new JsonObject { ["mode"] = mode };
            if (mode is not ("MPOL_DEFAULT" or "MPOL_LOCAL"))
            {
                bundle.Linux["memoryPolicy"]!["nodes"] = "0";
            }

            if (mode == "MPOL_WEIGHTED_INTERLEAVE" && !IsKernel(6, 9))
            {
                machine.Refuses(bundle, "set memory policy"); // recognized, and refused by the kernel
                continue;
            }

            machine.OutputOf(bundle);
        }

        foreach (var flag in Words(policy["flags"]))
        {
            var bundle = machine.NewBundle("/bin/true");
            bundle.Linux["memoryPolicy"] = new JsonObject { ["mode"] = "MPOL_BIND", ["nodes"] = "0", ["flags"] = Expectations.List(flag) };
            machine.OutputOf(bundle);
        }
    }

    // features-linux.md, "Mount Extensions", idmap: the properties are recognized, and so it says so.
    [Fact]
    public void Mapped_owners_of_mounts_are_listed() => Assert.True((bool?)Features["linux"]!["mountExtensions"]!["idmap"]!["enabled"]);

    // features-linux.md, "AppArmor" and "SELinux": what is implemented, whether this kernel runs it or not; AppArmorTests and SelinuxTests show that it is.
    [Theory]
    [InlineData("apparmor")]
    [InlineData("selinux")]
    public void Security_modules_are_listed_in_every_kernel(string module) => Assert.True((bool?)Features["linux"]![module]!["enabled"]);

    // features.md, "Annotations", and "Unsafe annotations": maps and lists of words, where they are there.
    [Fact]
    public void Annotations_are_a_map_of_words() =>
        Assert.All(Features["annotations"]?.AsObject() ?? [], one => Assert.Equal(System.Text.Json.JsonValueKind.String, one.Value!.GetValueKind()));

    static bool IsKernel(int major, int minor) => OperatingSystem.IsOSPlatformVersionAtLeast("linux", major, minor);

    static IEnumerable<string> Words(JsonNode? list) => list!.AsArray().Select(word => (string)word!);
}
