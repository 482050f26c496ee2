using System.Diagnostics;

namespace Nacelle.EndToEnd.Tests;

/// <summary>Streams of apps that run, connected to later.</summary>
public sealed class AttachTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    /// <summary>Attaches with pipes.</summary>
    Process Attach(MutablePod pod, string app, string mode = "auto")
    {
        var start = new ProcessStartInfo(Machine.Program, [.. machine.Flags, "attach", $"--app={app}", $"--mode={mode}", pod.Uuid])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    [Fact]
    public void What_is_written_reaches_the_app_and_its_answer_whoever_is_attached()
    {
        var pod = new MutablePod(machine);
        pod.Add("echoes", "while read line; do echo \"got $line\"; echo \"err $line\" >&2; done", "--stdin=stream", "--stdout=stream", "--stderr=stream");
        pod.App("start", "echoes");
        using var listener = Attach(pod, "echoes", "stdout");
        using var both = Attach(pod, "echoes");
        Thread.Sleep(500); // until both are attached
        both.StandardInput.Write("one\n");
        both.StandardInput.Flush();
        Assert.Equal("got one", both.StandardOutput.ReadLine());
        Assert.Equal("err one", both.StandardError.ReadLine());
        Assert.Equal("got one", listener.StandardOutput.ReadLine());
        both.Kill();
        both.WaitForExit();
        using var next = Attach(pod, "echoes");
        Thread.Sleep(300);
        next.StandardInput.Write("two\n");
        next.StandardInput.Flush();
        Assert.Equal("got two", next.StandardOutput.ReadLine());
        Assert.Equal("got two", listener.StandardOutput.ReadLine());
        pod.App("stop", "echoes");
        Assert.True(next.WaitForExit(20_000));
        Assert.True(listener.WaitForExit(20_000));
        Assert.Equal(0, next.ExitCode);
        Assert.Contains("stdout F got two", pod.Log("echoes"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_output_of_any_app_can_be_listened_to()
    {
        var pod = new MutablePod(machine);
        pod.AddAndStart("talks", "while true; do echo word; sleep 0.1; done");
        using var listener = Attach(pod, "talks");
        Assert.Equal("word", listener.StandardOutput.ReadLine());
        Assert.Equal("word", listener.StandardOutput.ReadLine());
        Assert.Equal("stdout\nstderr\n", machine.Nacelle("attach", "--mode=list", "--app=talks", pod.Uuid).Output);
        listener.Kill();
    }

    [Fact]
    public void A_listener_that_does_not_read_stops_neither_pod_nor_log()
    {
        var pod = new MutablePod(machine);
        pod.Add("floods", "seq 200000; echo done", "--stdout=stream");
        pod.App("start", "floods");
        using var listener = Attach(pod, "floods", "stdout"); // reads nothing
        Thread.Sleep(500);
        Assert.Equal("running", machine.Nacelle("status", pod.Uuid).Output.Split('\n')[0]["state=".Length..]);
        pod.AddAndStart("other", "exit 3");
        Machine.Eventually(() => pod.Status("other", "exit_code") == "3", "another app runs meanwhile");
        listener.Kill();
        pod.AwaitState("floods", "exited");
        Machine.Eventually(() => pod.Log("floods").Contains(" F done\n", StringComparison.Ordinal), "the log is whole once the listener is gone");
    }

    [Fact]
    public void Input_ends_with_its_first_writer_if_that_was_wanted()
    {
        var pod = new MutablePod(machine);
        pod.Add("counts", "wc -l; echo ended", "--stdin=stream", "--stdout=stream", "--annotation=nacelle/stdin-once=true");
        pod.App("start", "counts");
        using var writer = Attach(pod, "counts");
        writer.StandardInput.Write("a\nb\nc\n");
        writer.StandardInput.Close();
        Assert.Equal("3", writer.StandardOutput.ReadLine());
        Assert.Equal("ended", writer.StandardOutput.ReadLine());
        Assert.True(writer.WaitForExit(20_000));
    }

    [Fact]
    public void A_terminal_is_attached_to_resized_and_left()
    {
        using var person = new Person(machine);
        var pod = new MutablePod(machine);
        pod.Add("shell", "exec sh", "--stdin=tty", "--stdout=tty", "--stderr=tty");
        pod.App("start", "shell");
        Assert.Equal("tty-in\ntty-out\n", machine.Nacelle("attach", "--mode=list", pod.Uuid).Output);
        var before = person.Modes;
        var attached = person.Start("attach", pod.Uuid);
        Thread.Sleep(300);
        person.Type("tty; stty size; echo pid=$$\n");
        person.See("/dev/pts/0");
        person.See("31 97");
        person.SetSize(20, 60);
        Linux.Processes.Kill(attached.Id, Linux.Signal.WindowChange);
        person.Type("sleep 0.2; stty size\n");
        person.See("20 60");
        person.Type("\u0010");
        Thread.Sleep(100); // as a person types
        person.Type("\u0011");
        Assert.Equal(0, attached.Wait().ExitCode);
        Assert.Equal(before, person.Modes);
        Assert.Equal("running", pod.Status("shell", "state"));
        var again = person.Start("attach", pod.Uuid);
        Thread.Sleep(300);
        person.Type("echo back again\n");
        person.See("back again");
        person.Type("exit 5\n");
        Assert.Equal(0, again.Wait().ExitCode);
        Machine.Eventually(() => pod.Status("shell", "exit_code") == "5", "the shell ends");
    }

    [Theory]
    [InlineData("stdin", "nacelle: app silent: its stdin is not open to others\n")]
    [InlineData("tty", "nacelle: app silent: its stdin is not open to others\n")]
    [InlineData("nothing", "nacelle: --mode=nothing: 'nothing' is not auto, list, tty or one of stdin, stdout, stderr, tty-in, tty-out\n")]
    public void What_is_not_open_is_refused(string mode, string message)
    {
        var pod = new MutablePod(machine);
        pod.AddAndStart("silent", "sleep 600");
        var result = machine.Nacelle("attach", $"--mode={mode}", pod.Uuid);
        Assert.Equal(254, result.ExitCode);
        Assert.Equal(message, result.Errors);
    }
}
