using System.Text;
using System.Text.Json.Nodes;
using Nacelle.Linux;

namespace Nacelle.Oci.Tests;

/// <summary>A process with a terminal, whose outer side a test receives as an engine does.</summary>
public sealed class TerminalTests
{
    // config.md, "Process", terminal: a pair of pseudoterminals is made, and its inner side is all three standard streams.
    [Fact]
    public void A_terminal_is_all_three_standard_streams()
    {
        using var machine = new OciMachine();
        using var socket = new ListeningSocket($"{machine.Path}/console");
        var id = machine.Create(WithTerminal(machine.Shell("for f in 0 1 2; do test -t $f && echo $f is; done; tty; stat -Lc %t:%T /dev/console /proc/self/fd/0; read line; echo got $line")), $"--console-socket={socket.Path}");
        using var terminal = Assert.Single(socket.Take().Descriptors);
        Expectations.Succeeds(machine.Oci("start", id));
        Files.Write(terminal, "word\n"u8);
        var said = ReadAll(terminal).Replace("\r\n", "\n", StringComparison.Ordinal);

        // The terminal shows the word that is typed whenever it comes: between any two lines.
        Assert.All(["0 is\n", "1 is\n", "2 is\n", "/dev/"], part => Assert.Contains(part, said, StringComparison.Ordinal));
        Assert.Equal(3, said.Split("88:0\n").Length); // the first one of the container's own devpts, as /dev/console too
        Assert.EndsWith("got word\n", said, StringComparison.Ordinal);
    }

    // config.md, "Process", consoleSize: the terminal has this size.
    [Fact]
    public void A_terminal_has_the_size_that_is_given()
    {
        using var machine = new OciMachine();
        using var socket = new ListeningSocket($"{machine.Path}/console");
        var bundle = WithTerminal(machine.NewBundle("/bin/stty", "size"));
        bundle.Process["consoleSize"] = JsonNode.Parse("""{"height":17,"width":123}""");
        var id = machine.Create(bundle.Write(), $"--console-socket={socket.Path}");
        using var terminal = Assert.Single(socket.Take().Descriptors);
        Expectations.Succeeds(machine.Oci("start", id));
        Assert.Equal("17 123\r\n", ReadAll(terminal));
    }

    // config.md, "Process", consoleSize: without a terminal it is ignored, whatever it says.
    [Theory]
    [InlineData(false)]
    [InlineData(null)]
    public void A_size_without_a_terminal_is_ignored(bool? terminal)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/echo", "runs");
        bundle.Process.Remove("terminal");
        if (terminal is { } given)
        {
            bundle.Process["terminal"] = given;
        }

        bundle.Process["consoleSize"] = JsonNode.Parse("""{"height":100000,"width":123}""");
        Assert.Equal("runs", machine.OutputOf(bundle));
    }

    // config-linux.md, "Default Devices": with a terminal there is a /dev/console, which is the terminal, bound there.
    [Fact]
    public void The_console_is_the_terminal_bound_there()
    {
        using var machine = new OciMachine();
        using var socket = new ListeningSocket($"{machine.Path}/console");
        var id = machine.Create(WithTerminal(machine.NewBundle("/bin/sleep", "1000")), $"--console-socket={socket.Path}");
        using var terminal = Assert.Single(socket.Take().Descriptors);
        var console = MountEntry.At(File.ReadAllText($"/proc/{machine.Pid(id)}/mountinfo"), "/dev/console");
        Assert.Equal(("devpts", "/0"), (console.Type, console.Root));
    }

    // config-linux.md, "Default Devices": without a terminal there is no console.
    [Fact]
    public void Without_a_terminal_there_is_no_console()
    {
        using var machine = new OciMachine();
        Assert.Equal("none", machine.OutputOf(machine.Shell("test -e /dev/console || echo none")));
    }

    // config.md, "Process", terminal: the process is the leader of a session whose terminal this is, and its user owns it.
    [Fact]
    public void The_terminal_is_the_controlling_one_and_the_users()
    {
        using var machine = new OciMachine();
        using var socket = new ListeningSocket($"{machine.Path}/console");
        var bundle = WithTerminal(machine.Shell("echo by tty > /dev/tty; stat -Lc %u /proc/self/fd/0; exit"));
        bundle.Process["user"] = JsonNode.Parse("""{"uid":1000,"gid":1000}""");
        var id = machine.Create(bundle.Write(), $"--console-socket={socket.Path}");
        using var terminal = Assert.Single(socket.Take().Descriptors);
        Expectations.Succeeds(machine.Oci("start", id));
        Assert.Equal("by tty\r\n1000\r\n", ReadAll(terminal));
    }

    // runtime.md, "Create": a terminal that nobody takes cannot be made, and nothing is left.
    [Fact]
    public void A_terminal_without_a_receiver_is_refused()
    {
        using var machine = new OciMachine();
        machine.Refuses(WithTerminal(machine.NewBundle("/bin/true")), "console-socket");
    }

    // runtime.md, "Errors": where nobody listens on the socket, nothing is left.
    [Fact]
    public void A_socket_on_which_nobody_listens_is_an_error_that_leaves_nothing()
    {
        using var machine = new OciMachine();
        var bundle = WithTerminal(machine.NewBundle("/bin/true"));
        var id = OciMachine.NewId();
        Expectations.Fails(machine.Background(OciMachine.Program, $"--root={machine.Root}", "create", $"--bundle={bundle.Path}", $"--console-socket={machine.Path}/nobody", id), "nobody");
        machine.HasNothingOf(id);
    }

    // A further process gets a terminal of its own in the same way.
    [Fact]
    public void A_further_process_gets_a_terminal_too()
    {
        using var machine = new OciMachine();
        using var socket = new ListeningSocket($"{machine.Path}/console");
        var id = machine.Start(machine.NewBundle("/bin/sleep", "1000").Write());
        Expectations.Succeeds(machine.Background(OciMachine.Program, $"--root={machine.Root}", "exec", "--tty", "--detach", $"--console-socket={socket.Path}", id, "sh", "-c", "test -t 0 && echo yes"));
        using var terminal = Assert.Single(socket.Take().Descriptors);
        Assert.Equal("yes\r\n", ReadAll(terminal));
    }

    static Bundle WithTerminal(Bundle bundle) => bundle.With(one => one.Process["terminal"] = true);

    /// <summary>All that is written until nobody has the inner side any more, when reading gives EIO (pty(7)).</summary>
    static string ReadAll(FileDescriptor terminal)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (true)
        {
            PollEntry[] entries = [new PollEntry { Number = terminal.Number, Wanted = PollEvents.Readable }];
            Assert.True(Polling.Wait(entries, 20_000) > 0, $"the terminal stays open after: {text}");
            try
            {
                text.Append(Encoding.UTF8.GetString(buffer, 0, Files.Read(terminal, buffer)));
            }
            catch (KernelException problem) when (problem.Errno == Errno.EIO)
            {
                return text.ToString();
            }
        }
    }
}
