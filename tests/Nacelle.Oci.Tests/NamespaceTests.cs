using System.Globalization;
using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

public sealed class NamespaceTests
{
    // config-linux.md, "Namespaces": a type without a path gives the container a new namespace of that type.
    [Theory]
    [InlineData("pid")]
    [InlineData("network")]
    [InlineData("mount")]
    [InlineData("ipc")]
    [InlineData("uts")]
    [InlineData("user")]
    [InlineData("cgroup")]
    [InlineData("time")]
    public void A_namespace_that_is_named_is_made(string type)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        if (type == "user")
        {
            bundle.SetUsers();
        }
        else
        {
            bundle.SetNamespace(type);
        }

        var id = machine.Create(bundle.Write());
        Assert.NotEqual(Expectations.NamespaceOf(Environment.ProcessId, type), Expectations.NamespaceOf(machine.Pid(id), type));
    }

    // config-linux.md, "Namespaces": a type that is not named is the runtime's own.
    [Theory]
    [InlineData("pid")]
    [InlineData("network")]
    [InlineData("ipc")]
    [InlineData("uts")]
    [InlineData("user")]
    [InlineData("cgroup")]
    [InlineData("time")]
    public void A_namespace_that_is_not_named_is_the_runtimes(string type)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.RemoveNamespace(type);
        bundle.Config.Remove("hostname");
        var id = machine.Create(bundle.Write());
        Assert.Equal(Expectations.NamespaceOf(Environment.ProcessId, type), Expectations.NamespaceOf(machine.Pid(id), type));
    }

    // config-linux.md, "Namespaces": also the mount namespace, where nothing would be mounted.
    [Fact]
    public void A_mount_namespace_that_is_not_named_is_the_runtimes()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.RemoveNamespace("mount");
        bundle.Config["mounts"] = new JsonArray();
        bundle.Config["root"]!["readonly"] = false;
        bundle.Linux["maskedPaths"] = new JsonArray();
        bundle.Linux["readonlyPaths"] = new JsonArray();
        var id = machine.Create(bundle.Write());
        Assert.Equal(Expectations.NamespaceOf(Environment.ProcessId, "mount"), Expectations.NamespaceOf(machine.Pid(id), "mount"));
        Assert.Equal(bundle.Rootfs, new FileInfo($"/proc/{machine.Pid(id)}/root").LinkTarget);
    }

    // config-linux.md, "Namespaces", path: the process is in the namespace that the path stands for.
    [Theory]
    [InlineData("pid", "--pid --fork")]
    [InlineData("network", "--net")]
    [InlineData("mount", "--mount --propagation=private")]
    [InlineData("ipc", "--ipc")]
    [InlineData("uts", "--uts")]
    [InlineData("cgroup", "--cgroup")]
    [InlineData("time", "--time --fork")]
    [InlineData("user", "--user --map-root-user")]
    public void A_namespace_with_a_path_is_joined(string type, string options)
    {
        using var machine = new OciMachine();
        var unshared = machine.StartProcess("unshare", [.. options.Split(' '), "--kill-child", "sh", "-c", "readlink /proc/self/ns/uts; exec sleep 1000"]);
        unshared.StandardOutput.ReadLine();
        int holder = options.Contains("--fork", StringComparison.Ordinal) ? ChildOf(unshared.Id) : unshared.Id;
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.SetNamespace(type, $"/proc/{holder}/ns/{Expectations.LinkOf(type)}");
        if (type == "user")
        {
            bundle.Process["user"] = JsonNode.Parse("""{"uid":0,"gid":0}""");
            bundle.Config["mounts"]!.AsArray()[2]!["options"] = Expectations.List("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620");
        }

        var id = machine.Start(bundle.Write());
        Assert.Equal(Expectations.NamespaceOf(holder, type), Expectations.NamespaceOf(machine.Pid(id), type));
        machine.Stop(id);
    }

    // config-linux.md, "Namespaces", path: one container's namespaces are another's, as in a pod.
    [Fact]
    public void Two_containers_share_the_namespaces_of_one()
    {
        using var machine = new OciMachine();
        var first = machine.Start(machine.NewBundle("/bin/sleep", "1000").Write());
        int pid = machine.Pid(first);
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        string[] shared = ["pid", "network", "ipc", "uts"];
        foreach (var type in shared)
        {
            bundle.SetNamespace(type, $"/proc/{pid}/ns/{Expectations.LinkOf(type)}");
        }

        bundle.Config.Remove("hostname");
        var second = machine.Start(bundle.Write());
        Assert.All(shared, type => Assert.Equal(Expectations.NamespaceOf(pid, type), Expectations.NamespaceOf(machine.Pid(second), type)));
        Assert.NotEqual(Expectations.NamespaceOf(pid, "mount"), Expectations.NamespaceOf(machine.Pid(second), "mount"));
        machine.Stop(second);
        Assert.Equal("running", machine.Status(first));
    }

    // config-linux.md, "Namespaces", path: one that stands for a namespace of another type, or for none, is an error.
    [Theory]
    [InlineData("pid", "/proc/1/ns/net")]
    [InlineData("network", "/proc/1/ns/uts")]
    [InlineData("mount", "/proc/1/ns/ipc")]
    [InlineData("ipc", "/proc/1/ns/pid")]
    [InlineData("uts", "/proc/1/ns/net")]
    [InlineData("user", "/proc/1/ns/net")]
    [InlineData("cgroup", "/proc/1/ns/uts")]
    [InlineData("time", "/proc/1/ns/mnt")]
    [InlineData("network", "/etc/passwd")]
    [InlineData("network", "/nowhere/net")]
    [InlineData("uts", "/")]
    public void A_path_of_another_type_is_an_error(string type, string path)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.SetNamespace(type, path);
        machine.Refuses(bundle, type, path);
    }

    // config-linux.md, "Namespaces", path: it is absolute.
    [Fact]
    public void A_path_that_is_not_absolute_is_refused()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.SetNamespace("network", "proc/1/ns/net");
        machine.Refuses(bundle, "config.json", "linux.namespaces[5].path");
    }

    // config-linux.md, "Namespaces": the same type twice is an error, whatever the paths.
    [Theory]
    [InlineData(null)]
    [InlineData("/proc/1/ns/uts")]
    public void A_type_that_is_there_twice_is_an_error(string? path)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        var second = new JsonObject { ["type"] = "uts" };
        if (path is not null)
        {
            second["path"] = path;
        }

        bundle.Linux["namespaces"]!.AsArray().Add((JsonNode)second);
        machine.Refuses(bundle, "config.json", "linux.namespaces[6]", "uts");
    }

    // config-linux.md, "Namespaces", type: there are eight.
    [Theory]
    [InlineData("net")]
    [InlineData("")]
    public void A_type_that_there_is_not_is_refused(string type)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.SetNamespace(type);
        machine.Refuses(bundle, "config.json", "linux.namespaces[6].type");
    }

    // config-linux.md, "User namespace mappings": the process's user and group are mapped as the lists say, of several ranges too.
    [Fact]
    public void Users_and_groups_are_mapped_as_the_lists_say()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("for m in uid gid; do while read -r a b c; do echo $m $a $b $c; done < /proc/self/${m}_map; done; id -u; stat -c %u:%g /etc/passwd");
        bundle.SetUsers();
        bundle.Linux["uidMappings"] = JsonNode.Parse("""[{"containerID":0,"hostID":100000,"size":1000},{"containerID":1000,"hostID":500000,"size":2}]""");
        bundle.Linux["gidMappings"] = JsonNode.Parse("""[{"containerID":0,"hostID":100000,"size":10}]""");
        Assert.Equal("uid 0 100000 1000\nuid 1000 500000 2\ngid 0 100000 10\n0\n0:0", machine.OutputOf(bundle));
    }

    // config-linux.md, "User namespace mappings": the user that process names is the mapped one on the host.
    [Fact]
    public void The_process_is_the_mapped_user_on_the_host()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.SetUsers();
        bundle.Process["user"] = JsonNode.Parse("""{"uid":7,"gid":8,"additionalGids":[9]}""");
        var id = machine.Create(bundle.Write());
        var status = File.ReadAllText($"/proc/{machine.Pid(id)}/status");
        Assert.StartsWith("100007\t", Expectations.StatusOf(status, "Uid"), StringComparison.Ordinal);
        Assert.StartsWith("100008\t", Expectations.StatusOf(status, "Gid"), StringComparison.Ordinal);
        Assert.Equal("100009", Expectations.StatusOf(status, "Groups"));
    }

    // config-linux.md, "User namespace mappings": each range has its three members, and there is a namespace to map.
    [Theory]
    [InlineData("""[{"hostID":1,"size":1}]""", true, "containerID")]
    [InlineData("""[{"containerID":0,"size":1}]""", true, "hostID")]
    [InlineData("""[{"containerID":0,"hostID":1}]""", true, "size")]
    [InlineData("""[{"containerID":0,"hostID":1,"size":0}]""", true, "size")]
    [InlineData("""[{"containerID":0,"hostID":1,"size":5},{"containerID":4,"hostID":100,"size":5}]""", true, "uidMappings[1]")]
    [InlineData("""[{"containerID":0,"hostID":1,"size":1}]""", false, "uidMappings")]
    public void Mappings_that_are_not_well_formed_are_refused(string mappings, bool withNamespace, string words)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        if (withNamespace)
        {
            bundle.SetNamespace("user");
        }

        bundle.Linux["uidMappings"] = JsonNode.Parse(mappings);
        bundle.Linux["gidMappings"] = JsonNode.Parse("""[{"containerID":0,"hostID":1,"size":10}]""");
        machine.Refuses(bundle, "config.json", words);
    }

    // config-linux.md, "Offset for Time Namespace": the clocks of the container differ by what is given.
    [Fact]
    public void The_clocks_have_the_offsets_that_are_given()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("cat /proc/self/timens_offsets; cut -d' ' -f1 /proc/uptime");
        bundle.SetNamespace("time");
        bundle.Linux["timeOffsets"] = JsonNode.Parse("""{"monotonic":{"secs":172800,"nanosecs":5},"boottime":{"secs":604800}}""");
        var lines = machine.OutputOf(bundle).Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.Equal(["monotonic", "172800", "5"], lines[0]);
        Assert.Equal(["boottime", "604800", "0"], lines[1]);
        double host = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.InRange(double.Parse(lines[2][0], CultureInfo.InvariantCulture) - host, 604_700, 604_900);
    }

    // config-linux.md, "Offset for Time Namespace": the clocks are two, and there is a namespace of the container's own that they belong to.
    [Theory]
    [InlineData("""{"realtime":{"secs":1}}""", true)]
    [InlineData("""{"monotonic":{"nanosecs":1000000000}}""", true)]
    [InlineData("""{"monotonic":{"secs":1}}""", false)]
    public void Offsets_that_cannot_be_are_refused(string offsets, bool withNamespace)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        if (withNamespace)
        {
            bundle.SetNamespace("time");
        }

        bundle.Linux["timeOffsets"] = JsonNode.Parse(offsets);
        machine.Refuses(bundle, "config.json", "linux.timeOffsets");
    }

    static int ChildOf(int pid) => int.Parse(File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ')[0]);
}
