using System.Text.Json.Nodes;
using Nacelle.Linux;

namespace Nacelle.Oci.Tests;

/// <summary>SCMP_ACT_NOTIFY: somebody else decides about calls, and gets a descriptor for that.</summary>
public sealed class SeccompListenerTests
{
    // config-linux.md, "Seccomp", listenerPath, and "The Container Process State": one state and the descriptor come over one connection, which is then closed.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_listener_gets_the_state_and_the_descriptor(bool noNewPrivileges)
    {
        using var machine = new OciMachine();
        using var socket = new ListeningSocket($"{machine.Path}/listener");
        var bundle = WithListener(machine.NewBundle("/bin/sleep", "1000"), socket.Path);
        bundle.Process["noNewPrivileges"] = noNewPrivileges;
        bundle.Linux["seccomp"]!["listenerMetadata"] = "some data";
        bundle.Config["annotations"] = new JsonObject { ["org.example/key"] = "value" };
        var id = machine.Create(bundle.Write());
        var (text, descriptors) = socket.Take();
        using var descriptor = Assert.Single(descriptors);
        Assert.Equal("anon_inode:seccomp notify", new FileInfo(descriptor.ProcPath).LinkTarget);
        Assert.False(socket.IsWanted, "there is a second connection");
        var state = JsonNode.Parse(text)!; // one document, or this fails
        Assert.Equal("1.3.0", (string?)state["ociVersion"]);
        Assert.Equal("[\"seccompFd\"]", state["fds"]!.ToJsonString());
        Assert.Equal("some data", (string?)state["metadata"]);
        Assert.Equal(machine.Pid(id), (int?)state["pid"]);
        Assert.Equal((id, "creating", machine.Pid(id), bundle.Path, "value"),
            ((string?)state["state"]!["id"], (string?)state["state"]!["status"], (int?)state["state"]!["pid"], (string?)state["state"]!["bundle"], (string?)state["state"]!["annotations"]!["org.example/key"]));
    }

    // config-linux.md, "Seccomp", SCMP_ACT_NOTIFY: the call waits for the listener, and fails with ENOSYS when that is gone (seccomp_unotify(2)).
    [Fact]
    public void A_call_waits_for_the_listener()
    {
        using var machine = new OciMachine();
        using var socket = new ListeningSocket($"{machine.Path}/listener");
        var bundle = WithListener(machine.Shell("touch /data/before; mkdir /dev/shm/new 2> /data/after; exec sleep 1000"), socket.Path);
        var shared = machine.Share(bundle);
        var id = machine.Start(bundle.Write());
        var descriptor = Assert.Single(socket.Take().Descriptors);
        PollEntry[] entries = [new PollEntry { Number = descriptor.Number, Wanted = PollEvents.Readable }];
        Assert.Equal(1, Polling.Wait(entries, 20_000));
        Assert.True(File.Exists($"{shared}/before"));
        Assert.Equal("", File.ReadAllText($"{shared}/after"));
        descriptor.Dispose();
        OciMachine.Eventually(() => File.ReadAllText($"{shared}/after").Contains("not implemented", StringComparison.Ordinal), "the call fails");
        machine.Stop(id);
    }

    // config-linux.md, "Seccomp", listenerPath: a further process has a filter, a state and a connection of its own.
    [Fact]
    public void A_further_process_has_a_connection_of_its_own()
    {
        using var machine = new OciMachine();
        using var socket = new ListeningSocket($"{machine.Path}/listener");
        var id = machine.Start(WithListener(machine.NewBundle("/bin/sleep", "1000"), socket.Path).Write());
        using var first = Assert.Single(socket.Take().Descriptors);
        Expectations.Succeeds(machine.Background(OciMachine.Program, $"--root={machine.Root}", "exec", "--detach", $"--pid-file={machine.Path}/pid", id, "sleep", "1000"));
        var (text, descriptors) = socket.Take();
        using var second = Assert.Single(descriptors);
        var state = JsonNode.Parse(text)!;
        Assert.Equal(id, (string?)state["state"]!["id"]);
        Assert.Equal(int.Parse(File.ReadAllText($"{machine.Path}/pid")), (int?)state["pid"]);
        Assert.Equal("running", (string?)state["state"]!["status"]);
    }

    // config-linux.md, "Seccomp", listenerPath: where sending fails, there is an error, and no container.
    [Fact]
    public void A_listener_that_is_not_there_is_an_error()
    {
        using var machine = new OciMachine();
        machine.Refuses(WithListener(machine.NewBundle("/bin/true"), $"{machine.Path}/nobody"), $"{machine.Path}/nobody");
    }

    // config-linux.md, "Seccomp", listenerPath: without SCMP_ACT_NOTIFY the value is ignored.
    [Fact]
    public void A_listener_without_the_action_is_ignored()
    {
        using var machine = new OciMachine();
        using var socket = new ListeningSocket($"{machine.Path}/listener");
        var bundle = WithListener(machine.NewBundle("/bin/echo", "runs"), socket.Path);
        bundle.Linux["seccomp"]!["syscalls"]![0]!["action"] = "SCMP_ACT_ERRNO";
        Assert.Equal("runs", machine.OutputOf(bundle));
        Assert.False(socket.IsWanted);
    }

    static Bundle WithListener(Bundle bundle, string path)
    {
        bundle.Linux["seccomp"] = SeccompTests.Filter("SCMP_ACT_ALLOW", SeccompTests.Rule("SCMP_ACT_NOTIFY", "mkdir", "mkdirat"));
        bundle.Linux["seccomp"]!["listenerPath"] = path;
        return bundle;
    }
}
