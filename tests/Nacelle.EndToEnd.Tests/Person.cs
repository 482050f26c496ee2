using System.Text;
using Nacelle.Linux;

namespace Nacelle.EndToEnd.Tests;

/// <summary>A person at a terminal: the test holds the other side of a pty that nacelle believes to be one.</summary>
sealed class Person : IDisposable
{
    readonly Machine machine;
    readonly FileDescriptor person;
    readonly FileDescriptor seat;
    readonly StringBuilder seen = new();

    public Person(Machine machine)
    {
        this.machine = machine;
        using var devices = Files.Open("/dev", OpenFlags.Path | OpenFlags.Directory);
        (person, seat) = Terminal.OpenPair(devices);
        SetSize(31, 97);
    }

    public TerminalModes Modes => Terminal.GetModes(seat);

    public void SetSize(ushort rows, ushort columns) => Terminal.SetSize(person, new TerminalSize(rows, columns));

    /// <summary>Starts nacelle with the pty as its terminal, in a session of its own.</summary>
    public Process Start(params string[] arguments)
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
        plan.Call("exec", SystemCall.execve, plan.Text(Machine.Program), plan.TextArray([Machine.Program, .. machine.Flags, .. Machine.WithoutNetworks(arguments)]), plan.TextArray(["TERM=vt100", "PATH=/usr/bin:/bin"]));
        return Launcher.Start(plan);
    }

    public void Type(string text) => Files.Write(person, Encoding.UTF8.GetBytes(text));

    public void See(string text)
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

    public void Dispose()
    {
        person.Dispose();
        seat.Dispose();
    }
}
