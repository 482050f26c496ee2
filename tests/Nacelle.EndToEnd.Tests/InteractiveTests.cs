using System.Text;
using Nacelle.Linux;

namespace Nacelle.EndToEnd.Tests;

/// <summary>A person at a terminal: the test holds the other side of a pty that nacelle believes to be one.</summary>
public sealed class InteractiveTests : IDisposable
{
    readonly Machine machine = new();
    readonly FileDescriptor person;
    readonly FileDescriptor seat;
    readonly StringBuilder seen = new();

    public InteractiveTests()
    {
        using var devices = Files.Open("/dev", OpenFlags.Path | OpenFlags.Directory);
        (person, seat) = Terminal.OpenPair(devices);
        Terminal.SetSize(person, new TerminalSize(31, 97));
    }

    public void Dispose()
    {
        person.Dispose();
        seat.Dispose();
        machine.Dispose();
    }

    /// <summary>Starts nacelle with the pty as its terminal, in a session of its own.</summary>
    Process Start(params string[] arguments)
    {
        const int SIG_SETMASK = 2, TIOCSCTTY = 0x540E;
        var plan = new LaunchPlan();
        plan.Call("start a session", SystemCall.setsid);
        for (int i = 0; i < 3; i++)
        {
            plan.Call("connect the terminal", SystemCall.dup3, plan.Descriptor(seat), i, 0);
        }

        plan.Call("take the terminal", SystemCall.ioctl, 0, TIOCSCTTY, 0);
        plan.Call("unblock signals", SystemCall.rt_sigprocmask, SIG_SETMASK, plan.Bytes(new byte[8]), 0, 8);
        plan.Call("exec", SystemCall.execve, plan.Text(Machine.Program), plan.TextArray([Machine.Program, .. machine.Flags, .. arguments]), plan.TextArray(["TERM=vt100", "PATH=/usr/bin:/bin"]));
        return Launcher.Start(plan);
    }

    void Type(string text) => Files.Write(person, Encoding.UTF8.GetBytes(text));

    void See(string text)
    {
        var buffer = new byte[4096];
        Machine.Eventually(() =>
        {
            while (Polling.Wait([new PollEntry { Number = person.Number, Wanted = PollEvents.Readable }], 0) > 0 && Files.Read(person, buffer) is > 0 and var count)
            {
                seen.Append(Encoding.UTF8.GetString(buffer, 0, count));
            }

            return seen.ToString().Contains(text, StringComparison.Ordinal);
        }, $"the terminal shows '{text}'; so far: {seen}");
    }

    [Fact]
    public void An_app_has_a_terminal_of_its_own_with_size_interrupt_and_exit_code()
    {
        var before = Terminal.GetModes(seat);
        var pod = Start("run", "--interactive", TestImages.Busybox, "--", "sh");
        See("# ");
        Type("tty; stty size; echo term=$TERM\n");
        See("/dev/pts/0");
        See("31 97");
        See("term=vt100");
        Terminal.SetSize(person, new TerminalSize(20, 60));
        Processes.Kill(pod.Id, Signal.WindowChange);
        Type("sleep 0.2; stty size\n");
        See("20 60");
        Type("sleep 600\n");
        Thread.Sleep(300); // until the shell has started it
        Type("\u0003");
        Type("echo interrupted=$?\n");
        See("interrupted=130");
        Type("exit 5\n");
        Assert.Equal(5, pod.Wait().ExitCode);
        Assert.Equal(before, Terminal.GetModes(seat));
    }

    [Fact]
    public void Who_enters_from_a_terminal_has_one_too()
    {
        var (_, uuid) = machine.StartShell("sleep 600");
        var entered = Start("enter", uuid, "sh");
        See("# ");
        Type("tty; grep Seccomp: /proc/self/status; exit 6\n");
        See("/dev/pts/0");
        See("Seccomp:\t2");
        Assert.Equal(6, entered.Wait().ExitCode);
    }
}
