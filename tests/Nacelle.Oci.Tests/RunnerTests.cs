namespace Nacelle.Oci.Tests;

/// <summary>What a container's process is until its program starts.</summary>
public sealed class RunnerTests
{
    // sysctl vm.memfd_noexec, of a PID namespace: 2 forbids executable files in anonymous memory.
    [Fact]
    public void Containers_are_made_also_where_files_in_memory_may_not_be_executed()
    {
        using var machine = new OciMachine();
        Assert.SkipUnless(Linux.Processes.IsRoot, "needs a PID namespace of its own");
        Assert.SkipUnless(File.Exists("/proc/sys/vm/memfd_noexec"), "Linux before 6.3 has no vm.memfd_noexec");
        var bundle = machine.Shell("sleep 1000").Write();
        var id = OciMachine.NewId();
        var program = $"{OciMachine.Program} --root={machine.Root}";
        var result = OciMachine.Run("unshare", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c", $"""
            echo 2 >/proc/sys/vm/memfd_noexec || exit 9
            {program} create --bundle={bundle.Path} {id} </dev/null >/dev/null && {program} start {id} && {program} exec {id} echo inside
            {program} delete --force {id}
            """);
        Assert.True(result is { ExitCode: 0, Output: "inside\n", Errors: "" }, result.ToString());
    }

    [Fact]
    public void It_waits_for_the_start_under_its_own_name_and_holds_next_to_nothing()
    {
        using var machine = new OciMachine();
        var id = machine.Create(machine.Shell("true").Write());
        var status = File.ReadAllText($"/proc/{machine.Pid(id)}/status");
        Assert.Equal("nacelle-runner", Expectations.StatusOf(status, "Name"));
        Assert.InRange(int.Parse(Expectations.StatusOf(status, "VmRSS").Split(' ')[0]), 0, 256); // in kilobytes
    }

    [Fact]
    public void No_thread_of_the_waiting_runtime_takes_a_signal_that_is_for_the_program()
    {
        const ulong Terminate = 1UL << (15 - 1);
        using var machine = new OciMachine();
        var bundle = machine.Shell("trap 'exit 7' TERM; touch /data/ready; while :; do sleep 0.01; done");
        var shared = machine.Share(bundle);
        bundle.Write();
        var id = OciMachine.NewId();
        var runtime = machine.StartProcess(OciMachine.Program, $"--root={machine.Root}", "run", $"--bundle={bundle.Path}", id);
        OciMachine.Eventually(() => File.Exists($"{shared}/ready"), "the program runs");
        OciMachine.Eventually(
            () => Directory.GetDirectories($"/proc/{runtime.Id}/task").All(thread =>
                (Convert.ToUInt64(Expectations.StatusOf(File.ReadAllText($"{thread}/status"), "SigBlk"), 16) & Terminate) != 0),
            "all threads block the signal");
        Linux.Processes.Kill(runtime.Id, Linux.Signal.Terminate);
        Assert.True(runtime.WaitForExit(10_000));
        Assert.Equal(7, runtime.ExitCode);
    }
}
