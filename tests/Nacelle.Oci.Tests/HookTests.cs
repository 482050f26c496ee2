using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>When, where and with what each of the six kinds of hooks runs. What their failures do: <see cref="HookFailureTests"/>.</summary>
public sealed class HookTests
{
    static readonly string[] Creating = ["prestart", "createRuntime", "createContainer"];

    // runtime.md, "Lifecycle", steps 3 to 13; config.md, "POSIX-platform Hooks": every kind runs at its moment, prestart before createRuntime before
    // createContainer within create, startContainer and poststart within start, poststop within delete.
    [Fact]
    public void Every_kind_of_hook_runs_in_its_operation_and_in_order()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var log = $"{machine.Share(bundle)}/log";
        foreach (var kind in RuntimeKinds.Append("startContainer"))
        {
            bundle.AddHook(kind, $"echo {kind} 1 >> {(kind == "startContainer" ? "/data/log" : log)}");
            bundle.AddHook(kind, $"echo {kind} 2 >> {(kind == "startContainer" ? "/data/log" : log)}");
        }

        var id = machine.Create(bundle.Write());
        var expected = Creating.SelectMany(Twice).ToList();
        Assert.Equal(expected, File.ReadAllLines(log));
        Expectations.Succeeds(machine.Oci("start", id));
        expected.AddRange(((string[])["startContainer", "poststart"]).SelectMany(Twice));
        Assert.Equal(expected, File.ReadAllLines(log));
        machine.Stop(id);
        expected.AddRange(Twice("poststop"));
        Assert.Equal(expected, File.ReadAllLines(log));
    }

    // config.md, "POSIX-platform Hooks": the same holds where creation and start are one command.
    [Fact]
    public void Run_runs_every_kind_of_hook_too()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("exit 0");
        var log = $"{machine.Share(bundle)}/log";
        foreach (var kind in RuntimeKinds.Append("startContainer"))
        {
            bundle.AddHook(kind, $"echo {kind} >> {(kind == "startContainer" ? "/data/log" : log)}");
        }

        machine.OutputOf(bundle);
        Assert.Equal(["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"], File.ReadAllLines(log));
    }

    // config.md, "POSIX-platform Hooks": the state comes on standard input; runtime.md, "State": with the status of that moment.
    [Theory]
    [InlineData("prestart", "creating")]
    [InlineData("createRuntime", "creating")]
    [InlineData("createContainer", "creating")]
    [InlineData("startContainer", "created")]
    [InlineData("poststart", "running")]
    [InlineData("poststop", "stopped")]
    public void A_hook_reads_the_containers_state(string kind, string status)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.Config["annotations"] = new JsonObject { ["org.example/key"] = "value" };
        var shared = machine.Share(bundle);
        bundle.AddHook(kind, $"cat > {(kind == "startContainer" ? "/data" : shared)}/state");
        var id = machine.Start(bundle.Write());
        machine.Stop(id);
        var state = JsonNode.Parse(File.ReadAllText($"{shared}/state"))!;
        Assert.Equal("1.3.0", (string?)state["ociVersion"]);
        Assert.Equal(id, (string?)state["id"]);
        Assert.Equal(status, (string?)state["status"]);
        Assert.Equal(bundle.Path, (string?)state["bundle"]);
        Assert.Equal("value", (string?)state["annotations"]?["org.example/key"]);
    }

    // runtime.md, "State", pid: in the runtime's namespaces a hook reads the process's number there.
    [Theory]
    [InlineData("prestart")]
    [InlineData("createRuntime")]
    [InlineData("poststart")]
    public void A_hook_in_the_runtimes_namespaces_reads_the_process_id_that_the_runtime_sees(string kind)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.AddHook(kind, $"cat > {machine.Path}/read");
        var id = machine.Start(bundle.Write());
        Assert.Equal(machine.Pid(id), (int?)JsonNode.Parse(File.ReadAllText($"{machine.Path}/read"))!["pid"]);
    }

    // runtime.md, "State", pid: in the container's namespaces a hook reads the process's number there.
    [Theory]
    [InlineData("createContainer")]
    [InlineData("startContainer")]
    public void A_hook_in_the_containers_namespaces_reads_the_process_id_that_the_container_sees(string kind)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var shared = machine.Share(bundle);
        bundle.AddHook(kind, $"cat > {(kind == "startContainer" ? "/data" : shared)}/state");
        machine.Start(bundle.Write());
        Assert.Equal(1, (int?)JsonNode.Parse(File.ReadAllText($"{shared}/state"))!["pid"]);
    }

    // config.md, "POSIX-platform Hooks": prestart, createRuntime, poststart and poststop run in the runtime's namespaces.
    [Theory]
    [InlineData("prestart")]
    [InlineData("createRuntime")]
    [InlineData("poststart")]
    [InlineData("poststop")]
    public void A_hook_runs_in_the_runtimes_namespaces(string kind)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.AddHook(kind, $"{ReadNamespaces} > {machine.Path}/namespaces");
        machine.Stop(machine.Start(bundle.Write()));
        Assert.Equal(NamespacesOf(Environment.ProcessId), File.ReadAllLines($"{machine.Path}/namespaces"));
    }

    // config.md, "POSIX-platform Hooks": createContainer and startContainer run in the container's namespaces.
    [Theory]
    [InlineData("createContainer")]
    [InlineData("startContainer")]
    public void A_hook_runs_in_the_containers_namespaces(string kind)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var shared = machine.Share(bundle);
        bundle.AddHook(kind, $"{ReadNamespaces} > {(kind == "startContainer" ? "/data" : shared)}/namespaces");
        var id = machine.Start(bundle.Write());
        Assert.Equal(NamespacesOf(machine.Pid(id)), File.ReadAllLines($"{shared}/namespaces"));
    }

    // config.md, "Prestart", "CreateRuntime Hooks", "CreateContainer Hooks": namespaces and mounts are there, and the root is not yet entered.
    [Theory]
    [InlineData("prestart")]
    [InlineData("createRuntime")]
    [InlineData("createContainer")]
    public void A_hook_of_creation_finds_the_environment_before_the_root_is_entered(string kind)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var pid = "pid=$(sed -n 's/.*\"pid\":\\([0-9]*\\).*/\\1/p')";
        var process = kind == "createContainer" ? "pid=self" : pid;
        bundle.AddHook(kind, $"{process}; cat /proc/$pid/mountinfo > {machine.Path}/mounts; readlink /proc/$pid/ns/net /proc/$pid/root > {machine.Path}/process; ls /proc/$pid/root/ > {machine.Path}/root");
        var id = machine.Create(bundle.Write());
        var mounts = MountEntry.Parse(File.ReadAllText($"{machine.Path}/mounts"));
        Assert.Contains(mounts, mount => mount.Point == $"{bundle.Rootfs}/proc" && mount.Type == "proc");
        Assert.Contains(mounts, mount => mount.Point == $"{bundle.Rootfs}/dev/shm" && mount.Type == "tmpfs");
        Assert.Equal([Expectations.NamespaceOf(machine.Pid(id), "network"), "/"], File.ReadAllLines($"{machine.Path}/process"));
        Assert.Contains("usr", File.ReadAllLines($"{machine.Path}/root"));
    }

    // config.md, "POSIX-platform Hooks": the path of all kinds but startContainer is the host's.
    [Theory]
    [InlineData("prestart")]
    [InlineData("createRuntime")]
    [InlineData("createContainer")]
    [InlineData("poststart")]
    [InlineData("poststop")]
    public void A_hooks_path_is_looked_up_on_the_host(string kind)
    {
        using var machine = new OciMachine();
        var program = WriteScript($"{machine.Path}/program", $"#!/bin/sh\necho run > {machine.Path}/ran\n");
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        AddHook(bundle, kind, program);
        machine.Stop(machine.Start(bundle.Write()));
        Assert.Equal("run\n", File.ReadAllText($"{machine.Path}/ran"));
    }

    // config.md, "StartContainer Hooks": its path is the container's.
    [Fact]
    public void A_startContainer_hooks_path_is_looked_up_in_the_container()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var shared = machine.Share(bundle);
        WriteScript($"{bundle.Rootfs}/etc/only-here", "#!/bin/sh\necho run > /data/ran\n");
        AddHook(bundle, "startContainer", "/etc/only-here");
        machine.Start(bundle.Write());
        Assert.Equal("run\n", File.ReadAllText($"{shared}/ran"));
    }

    // config.md, "StartContainer Hooks" and "Poststart": one runs before the program is executed, the other after it.
    [Fact]
    public void The_program_is_executed_between_startContainer_and_poststart()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var shared = machine.Share(bundle);
        bundle.AddHook("startContainer", "cat /proc/1/cmdline | tr '\\0' ' ' > /data/before");
        bundle.AddHook("poststart", $"pid=$(sed -n 's/.*\"pid\":\\([0-9]*\\).*/\\1/p'); cat /proc/$pid/cmdline | tr '\\0' ' ' > {shared}/after");
        machine.Start(bundle.Write());
        Assert.DoesNotContain("sleep", File.ReadAllText($"{shared}/before"), StringComparison.Ordinal);
        Assert.Equal("/bin/sleep 1000 ", File.ReadAllText($"{shared}/after"));
    }

    // config.md, "Poststop": it runs when the container is deleted already.
    [Fact]
    public void A_poststop_hook_finds_the_container_deleted()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var group = ControlGroups.Directory("pids", $"/{OciMachine.NewId()}");
        bundle.Linux["cgroupsPath"] = $"/{Path.GetFileName(group)}";
        var id = machine.Create(bundle.Write());
        bundle.AddHook("poststop", $"{OciMachine.Program} --root={machine.Root} list -q > {machine.Path}/list; ls -d {group} {machine.Root}/* > {machine.Path}/left 2>/dev/null");
        machine.Oci("delete", "--force", id);
        id = machine.Create(bundle.Write());
        Assert.True(Directory.Exists(group));
        machine.Oci("delete", "--force", id);
        Assert.Equal("", File.ReadAllText($"{machine.Path}/list"));
        Assert.Equal("", File.ReadAllText($"{machine.Path}/left"));
    }

    // config.md, "POSIX-platform Hooks", args and env: as execv(3) takes them, and no variable but those.
    [Theory]
    [InlineData("createRuntime")]
    [InlineData("createContainer")]
    [InlineData("startContainer")]
    public void A_hook_gets_its_own_arguments_and_variables(string kind)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var shared = machine.Share(bundle);
        var place = kind == "startContainer" ? "/data" : shared;
        bundle.Config["hooks"] = new JsonObject
        {
            [kind] = new JsonArray(new JsonObject
            {
                ["path"] = "/bin/sh",
                ["args"] = Expectations.List("sh", "-c", $"tr '\\0' '\\n' < /proc/self/environ > {place}/env; echo \"$0:$1:$#\" > {place}/args", "a b", "", "c"),
                ["env"] = Expectations.List("ONE=1", "PATH=/usr/bin:/bin", "TWO=a=b c"),
            }),
        };
        machine.Start(bundle.Write());
        Assert.Equal(["ONE=1", "PATH=/usr/bin:/bin", "TWO=a=b c"], File.ReadAllLines($"{shared}/env"));
        Assert.Equal("a b::2\n", File.ReadAllText($"{shared}/args"));
    }

    static readonly string[] RuntimeKinds = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];

    static readonly string[] Namespaces = ["mount", "pid", "network", "ipc", "uts", "cgroup", "user"];

    static string ReadNamespaces => $"for n in {string.Join(' ', Namespaces.Select(Expectations.LinkOf))}; do readlink /proc/self/ns/$n; done";

    static IEnumerable<string> NamespacesOf(int pid) => Namespaces.Select(type => Expectations.NamespaceOf(pid, type));

    static IEnumerable<string> Twice(string kind) => [$"{kind} 1", $"{kind} 2"];

    static string WriteScript(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, (UnixFileMode)0x1ED);
        return path;
    }

    static void AddHook(Bundle bundle, string kind, string path) =>
        bundle.Config["hooks"] = new JsonObject { [kind] = new JsonArray(new JsonObject { ["path"] = path, ["env"] = Expectations.List("PATH=/usr/bin:/bin") }) };
}
