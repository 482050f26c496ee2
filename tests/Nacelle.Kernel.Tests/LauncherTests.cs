using System.Text;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public sealed class LauncherTests
{
    const int SIG_SETMASK = 2;

    /// <summary>A plan that ends in a shell script, its output in a pipe.</summary>
    static (LaunchPlan Plan, FileDescriptor Output, FileDescriptor Input) Shell(string script)
    {
        var (read, write) = Files.CreatePipe("output");
        var plan = new LaunchPlan();
        plan.Call("connect output", SystemCall.dup3, plan.Descriptor(write), 1, 0);
        plan.Call("unblock signals", SystemCall.rt_sigprocmask, SIG_SETMASK, plan.Bytes(new byte[8]), 0, 8);
        plan.Call("close descriptors", SystemCall.close_range, 3, uint.MaxValue, 4);
        plan.Call("exec /bin/sh", SystemCall.execve, plan.Text("/bin/sh"), plan.TextArray(["sh", "-c", script]), plan.TextArray(["PATH=/usr/bin:/bin"]));
        return (plan, read, write);
    }

    static string Run(string script, Func<LaunchPlan, Process> start)
    {
        var (plan, output, input) = Shell(script);
        using (output)
        {
            var process = start(plan);
            input.Dispose();
            var text = Encoding.UTF8.GetString(Files.ReadToEnd(output));
            Assert.Equal(0, process.Wait().ExitCode);
            return text;
        }
    }

    static Process Start(LaunchPlan plan, Namespaces namespaces = Namespaces.None)
    {
        return Launcher.Start(plan, namespaces);
    }

    [KernelFact]
    public void A_child_is_the_first_process_of_its_pid_namespace()
    {
        const Namespaces All = Namespaces.Pid | Namespaces.Mount | Namespaces.Uts | Namespaces.Ipc | Namespaces.Network;
        Assert.Equal("1\n", Run("echo $$", plan => Start(plan, All)));
    }

    [KernelFact]
    public void A_child_has_no_descriptor_and_no_signal_setting_of_ours()
    {
        using var secret = Files.CreateInMemory("secret");
        var text = Run("ls /proc/self/fd | tr '\\n' ' '; grep -E 'Sig(Blk|Ign):' /proc/self/status", plan => Start(plan));
        Assert.Equal("0 1 2 3 SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n", text);
    }

    [KernelFact]
    public void A_plan_that_fails_says_where_and_leaves_no_process()
    {
        var plan = new LaunchPlan();
        plan.Call("enter the void", SystemCall.chdir, plan.Text("/no/such/place"));
        var failure = Assert.Throws<KernelException>(() => Start(plan));
        Assert.Equal("enter the void: ENOENT (No such file or directory)", failure.Message);
    }

    [KernelFact]
    public void A_further_process_joins_the_pid_namespace_of_another()
    {
        var (plan, output, input) = Shell("sleep 60");
        output.Dispose();
        var first = Start(plan, Namespaces.Pid | Namespaces.Mount | Namespaces.Uts);
        input.Dispose();
        try
        {
            using var target = Processes.TryOpen(first.Id)!;
            var text = Run("echo $$", inner =>
            {
                var outer = new LaunchPlan();
                outer.Call("join", SystemCall.setns, outer.Descriptor(target), (long)(Namespaces.Pid | Namespaces.Mount | Namespaces.Uts));
                return Launcher.StartInside(new PlanImage(outer), new PlanImage(inner));
            });
            Assert.NotEqual("1\n", text);
            Assert.True(int.Parse(text) < 10, text);
        }
        finally
        {
            Processes.Kill(first.Id, Signal.Kill);
            first.Wait();
        }
    }
}
