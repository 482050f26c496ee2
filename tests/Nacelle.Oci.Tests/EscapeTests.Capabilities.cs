namespace Nacelle.Oci.Tests;

/// <summary>A process that joins a container has every restriction of the container's own, and no capability is inheritable by accident.</summary>
public sealed partial class EscapeTests
{
    // CVE-2022-29162 (and CVE-2022-24769 in engines): with a filled inheritable set, a program with inheritable file capabilities has more than the container was meant
    // to have, and who is not root becomes more than an ordinary user. The set has to be empty, also beside --cap.
    [Fact]
    public void No_capability_is_inheritable()
    {
        const string Look = "grep -E 'Cap(Inh|Amb)' /proc/self/status";
        const string None = "CapInh:\t0000000000000000\nCapAmb:\t0000000000000000\n";
        Assert.Equal(None, machine.RunBundle(machine.Shell(Look).Write()).Output);
        var id = machine.Start(machine.NewBundle("/bin/sleep", "1000").Write());
        Assert.Equal(None, machine.Oci("exec", id, "/bin/sh", "-c", Look).Output);
        Assert.Equal(None, machine.Oci("exec", "--cap=CAP_NET_RAW", "--cap=CAP_SYS_ADMIN", id, "/bin/sh", "-c", Look).Output);
        Assert.Equal(None, machine.Oci("exec", "--cap=CAP_NET_RAW", "--user=1000:1000", id, "/bin/sh", "-c", Look).Output);
    }

    [Fact]
    public void A_further_capability_is_for_that_process_alone()
    {
        const string Look = "grep -E 'Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2";
        var id = machine.Start(machine.NewBundle("/bin/sleep", "1000").Write());
        var own = machine.Oci("exec", id, "/bin/sh", "-c", Look).Output;
        Assert.Equal("0000000020000420\n0000000020000420\n0000000020000420\n", own); // audit_write, net_bind_service, kill
        Assert.Equal("0000000020002420\n0000000020002420\n0000000020002420\n", machine.Oci("exec", "--cap=CAP_NET_RAW", id, "/bin/sh", "-c", Look).Output);
        Assert.Equal(own, machine.Oci("exec", id, "/bin/sh", "-c", Look).Output);
    }

    // CVE-2019-10144, CVE-2019-10145, CVE-2019-10147: `rkt enter` ran its program with all capabilities, without the filter and outside of the control groups of the pod.
    [Fact]
    public void Who_joins_a_container_has_its_restrictions_groups_and_namespaces()
    {
        var bundle = machine.NewBundle("/bin/sleep", "1000").With(one =>
        {
            one.Linux["seccomp"] = System.Text.Json.Nodes.JsonNode.Parse("""{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}""");
            one.Resources["pids"] = System.Text.Json.Nodes.JsonNode.Parse("""{"limit": 64}""");
            one.Process["rlimits"] = System.Text.Json.Nodes.JsonNode.Parse("""[{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]""");
        });
        var id = machine.Start(bundle);
        var pidFile = $"{machine.Path}/joined";
        Assert.Equal(0, machine.Background(OciMachine.Program, $"--root={machine.Root}", "exec", "--detach", $"--pid-file={pidFile}", id, "/bin/sleep", "1000").ExitCode);
        string first = $"/proc/{machine.Pid(id)}", joined = $"/proc/{File.ReadAllText(pidFile)}";
        string Status(string process) => string.Join('\n', File.ReadLines($"{process}/status").Where(line => line.StartsWith("Cap", StringComparison.Ordinal)
            || line.StartsWith("Seccomp", StringComparison.Ordinal) || line.StartsWith("NoNewPrivs", StringComparison.Ordinal) || line.StartsWith("Groups", StringComparison.Ordinal)));
        Assert.Contains("Seccomp:\t2", Status(joined), StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", Status(joined), StringComparison.Ordinal);
        Assert.Equal(Status(first), Status(joined));
        Assert.Equal(File.ReadAllText($"{first}/cgroup"), File.ReadAllText($"{joined}/cgroup"));
        Assert.Contains(id, File.ReadAllText($"{joined}/cgroup"), StringComparison.Ordinal);
        foreach (var name in (string[])["mnt", "pid", "net", "ipc", "uts", "cgroup", "user"])
        {
            Assert.Equal(new FileInfo($"{first}/ns/{name}").LinkTarget, new FileInfo($"{joined}/ns/{name}").LinkTarget);
        }

        Assert.Contains("Function not implemented", machine.Oci("exec", id, "/bin/mkdir", "/tmp/x").Errors, StringComparison.Ordinal);
    }
}
