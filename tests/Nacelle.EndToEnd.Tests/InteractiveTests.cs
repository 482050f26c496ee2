using Nacelle.Linux;

namespace Nacelle.EndToEnd.Tests;

public sealed class InteractiveTests : IDisposable
{
    readonly Machine machine = new();
    readonly Person person;

    public InteractiveTests() => person = new Person(machine);

    public void Dispose()
    {
        person.Dispose();
        machine.Dispose();
    }

    [Fact]
    public void An_app_has_a_terminal_of_its_own_with_size_interrupt_and_exit_code()
    {
        var before = person.Modes;
        var pod = person.Start("run", "--interactive", TestImages.Busybox, "--", "sh");
        person.See("# ");
        person.Type("tty; stty size; echo term=$TERM\n");
        person.See("/dev/pts/0");
        person.See("31 97");
        person.See("term=vt100");
        person.SetSize(20, 60);
        Processes.Kill(pod.Id, Signal.WindowChange);
        person.Type("sleep 0.2; stty size\n");
        person.See("20 60");
        person.Type("sleep 600\n");
        Thread.Sleep(300); // until the shell has started it
        person.Type("\u0003");
        person.Type("echo interrupted=$?\n");
        person.See("interrupted=130");
        person.Type("exit 5\n");
        Assert.Equal(5, pod.Wait().ExitCode);
        Assert.Equal(before, person.Modes);
    }

    [Fact]
    public void Who_enters_from_a_terminal_has_one_too()
    {
        var (_, uuid) = machine.StartShell("sleep 600");
        var entered = person.Start("enter", uuid, "sh");
        person.See("# ");
        person.Type("tty; grep Seccomp: /proc/self/status; exit 6\n");
        person.See("/dev/pts/0");
        person.See("Seccomp:\t2");
        Assert.Equal(6, entered.Wait().ExitCode);
    }
}
