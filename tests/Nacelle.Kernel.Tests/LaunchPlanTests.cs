using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class LaunchPlanTests
{
    [KernelFact]
    public void A_result_in_a_cell_is_used_by_a_later_step()
    {
        var plan = new LaunchPlan();
        var opened = plan.CallForResult("open", SystemCall.openat, -100, plan.Text("/dev/null"), 0);
        plan.Call("close", SystemCall.close, opened);
        plan.Call("close again", SystemCall.close, opened);
        var failure = Fail(plan);
        Assert.Equal(("close again", Errno.EBADF), (failure.Operation, failure.Errno));
    }

    [KernelFact]
    public void A_tolerated_failure_skips_what_depends_on_the_call()
    {
        var plan = new LaunchPlan();
        var step = plan.Call("chdir", SystemCall.chdir, plan.Text("/no/such")).Tolerate(Errno.ENOENT);
        Exit(plan, 1);
        step.SkipToHereOnFailure();
        Exit(plan, 7);
        Assert.Equal(7, Run(plan));
    }

    [KernelFact]
    public void Success_skips_what_is_meant_for_failure()
    {
        var plan = new LaunchPlan();
        var step = plan.Call("chdir", SystemCall.chdir, plan.Text("/")).Tolerate(Errno.ENOENT);
        Exit(plan, 1);
        step.SkipToHereOnSuccess();
        Exit(plan, 7);
        Assert.Equal(7, Run(plan));
    }

    [KernelFact]
    public void An_array_of_strings_holds_at_any_address()
    {
        var plan = new LaunchPlan();
        plan.Call("exec", SystemCall.execve, plan.Text("/bin/sh"), plan.TextArray(["sh", "-c", "exit $1$N", "sh", "4"]), plan.TextArray(["N=2"]));
        Assert.Equal(42, Run(plan));
    }

    static void Exit(LaunchPlan plan, int code) => plan.Call("exit", SystemCall.exit_group, code);

    static int Run(LaunchPlan plan)
    {
        return Launcher.Start(plan).Wait().ShellCode;
    }

    static KernelException Fail(LaunchPlan plan) => Assert.Throws<KernelException>(() => Run(plan));

    [KernelFact]
    public void A_plan_that_was_sent_uses_the_descriptors_of_who_received_it()
    {
        var (read, write) = Files.CreatePipe("test");
        using (read)
        using (write)
        {
            var plan = new LaunchPlan();
            var target = plan.Descriptor(write);
            Assert.Equal(target, plan.Descriptor(write)); // one cell for one descriptor
            plan.Call("write", SystemCall.write, target, plan.Text("sent"), 4);
            plan.Call("exec /bin/true", SystemCall.execve, plan.Text("/bin/true"), plan.TextArray(["true"]), plan.TextArray([]));
            using var memory = new MemoryStream();
            new PlanImage(plan).WriteTo(new BinaryWriter(memory));
            memory.Position = 0;
            using var received = write.Duplicate();
            int before = write.Number;
            write.Dispose();
            var image = PlanImage.ReadFrom(new BinaryReader(memory));
            image.Rename(number => number == before ? received.Number : number);
            Assert.Equal(0, Launcher.Start(image).Wait().ExitCode);
            var buffer = new byte[16];
            Assert.Equal(4, Files.Read(read, buffer));
            Assert.Equal("sent"u8, buffer.AsSpan(0, 4));
        }
    }

    [KernelFact]
    public void A_process_learns_its_own_number_as_text()
    {
        var plan = new LaunchPlan();
        var text = plan.Bytes([.. "PID="u8, .. new byte[21]]);
        plan.WriteDecimal("write the number", plan.CallForResult("getpid", SystemCall.getpid), text, 4);
        plan.WriteDecimal("write zero", plan.NewCell(0), plan.Bytes(new byte[21]), 0);
        plan.Call(
            "exec /bin/sh", SystemCall.execve, plan.Text("/bin/sh"), plan.TextArray(["sh", "-c", "test \"$PID\" = $$"]), plan.Words(plan.Text("PATH=/bin"), text, 0));
        Assert.Equal(0, Launcher.Start(plan).Wait().ExitCode);
        Assert.Equal(0, Launcher.StartInside(new PlanImage(new LaunchPlan()), new PlanImage(plan)).Wait().ExitCode);
    }
}
