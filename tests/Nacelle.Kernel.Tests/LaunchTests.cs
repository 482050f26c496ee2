using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public sealed class LaunchTests
{
    static PlanImage Failing(string operation)
    {
        var plan = new LaunchPlan();
        plan.Call(operation, SystemCall.chdir, plan.Text("/no/such/place"));
        return new PlanImage(plan);
    }

    static PlanImage Shell(string script)
    {
        var plan = new LaunchPlan();
        plan.Call("exec /bin/sh", SystemCall.execve, plan.Text("/bin/sh"), plan.TextArray(["sh", "-c", script]), plan.TextArray(["PATH=/usr/bin:/bin"]));
        return new PlanImage(plan);
    }

    [KernelFact]
    public void The_process_is_known_also_after_the_launch_is_let_go()
    {
        using var launch = Launch.Begin([], [Shell("exit 3")], untilExecuted: true);
        launch.Dispose();
        Assert.Equal(3, launch.Process.Wait().ExitCode);
    }

    [KernelFact]
    public void An_outer_plan_that_fails_is_told_as_often_as_one_asks()
    {
        using var launch = Launch.Begin([Failing("go outside")], [Shell("true")]);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal("go outside: ENOENT (No such file or directory)", Assert.Throws<KernelException>(() => launch.Process).Message);
        }

        Assert.Null(launch.TryProcess());
    }

    [KernelFact]
    public void An_inner_plan_that_fails_leaves_no_process()
    {
        using var launch = Launch.Begin([], [Failing("go inside")], untilExecuted: true);
        Assert.Equal("go inside: ENOENT (No such file or directory)", Assert.Throws<KernelException>(() => launch.Started()).Message);
        Assert.Throws<KernelException>(() => Processes.Wait(launch.Process.Id));
    }

    [KernelFact]
    public void A_process_that_the_kernel_does_not_make_is_told_with_its_errno()
    {
        const Namespaces CLONE_THREAD = (Namespaces)0x10000; // clone(2): not without CLONE_SIGHAND
        using var launch = Launch.Begin([], [Shell("true")], CLONE_THREAD);
        Assert.Equal("make a process: EINVAL (Invalid argument)", Assert.Throws<KernelException>(() => launch.Process).Message);
    }

    [KernelFact]
    public void Who_knows_neither_side_reads_the_reason_from_the_launchs_file()
    {
        using var directory = new TemporaryDirectory();
        using var file = Files.Open($"{directory.Path}/launch", OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.CloseOnExec, 0x180);
        using var launch = Launch.Begin([], [Failing("go inside")], file: file);
        launch.Process.Wait();
        using var again = Files.Open($"{directory.Path}/launch", OpenFlags.ReadOnly | OpenFlags.CloseOnExec);
        Assert.Equal("go inside: ENOENT (No such file or directory)", Launch.ReadFailure(again)!.Message);
    }
}
