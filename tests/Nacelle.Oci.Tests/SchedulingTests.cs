using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Scheduler, I/O priority and processors of the process.</summary>
public sealed class SchedulingTests
{
    // proc_pid_stat(5): fields 19, 40 and 41.
    const string PrintStat = "set -- $(sed 's/.*) //' /proc/$$/stat); shift 16; echo nice $1; shift 21; echo priority $1 policy $2";

    // config.md, "Linux Process", scheduler: policy and nice value are as given; sched(7) has the numbers.
    [Theory]
    [InlineData("SCHED_OTHER", 7, 0)]
    [InlineData("SCHED_BATCH", 5, 3)]
    [InlineData("SCHED_IDLE", 0, 5)]
    public void A_scheduling_policy_is_as_it_was_given(string policy, int nice, int number)
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell(PrintStat);
        bundle.Process["scheduler"] = new JsonObject { ["policy"] = policy, ["nice"] = nice };
        Assert.Equal($"nice {nice}\npriority 0 policy {number}", machine.OutputOf(bundle));
    }

    // config.md, "Linux Process", scheduler, priority: the policies for real time have one.
    [Theory]
    [InlineData("SCHED_FIFO", 10, 1)]
    [InlineData("SCHED_RR", 99, 2)]
    public void A_real_time_policy_has_its_priority(string policy, int priority, int number)
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell(PrintStat);
        bundle.Process["scheduler"] = new JsonObject { ["policy"] = policy, ["priority"] = priority };
        if (File.Exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"))
        {
            bundle.Resources["cpu"] = new JsonObject { ["realtimeRuntime"] = 1000, ["realtimePeriod"] = 1_000_000 };
        }

        Assert.Equal($"nice 0\npriority {priority} policy {number}", machine.OutputOf(bundle));
    }

    // config.md, "Linux Process", scheduler, runtime, deadline and period: those of the deadline policy, number 6; its processes may not fork, so this one does not.
    [Fact]
    public void A_deadline_policy_is_taken()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/stat");
        bundle.Process["scheduler"] = new JsonObject { ["policy"] = "SCHED_DEADLINE", ["runtime"] = 1_000_000, ["deadline"] = 10_000_000, ["period"] = 100_000_000 };
        Assert.Equal("6", machine.OutputOf(bundle).Split(' ')[40]);
    }

    // config.md, "Linux Process", scheduler, flags: with RESET_ON_FORK, the process's children are ordinary again.
    [Fact]
    public void A_flag_of_the_scheduler_holds()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell($"sh -c '{PrintStat.Replace("'", "'\\''", StringComparison.Ordinal)}'; exit 0");
        bundle.Process["scheduler"] = new JsonObject { ["policy"] = "SCHED_BATCH", ["nice"] = -5, ["flags"] = Expectations.List("SCHED_FLAG_RESET_ON_FORK") };
        Assert.StartsWith("nice 0\n", machine.OutputOf(bundle), StringComparison.Ordinal);
    }

    // config.md, "Linux Process", scheduler: what the lists do not have, and what sched_setattr(2) does not take, is an error.
    [Theory]
    [InlineData("""{"policy":"SCHED_NOSUCH"}""", "policy")]
    [InlineData("""{"policy":"SCHED_ISO"}""", "policy")]
    [InlineData("""{"policy":"SCHED_OTHER","nice":20}""", "nice")]
    [InlineData("""{"policy":"SCHED_FIFO","priority":100}""", "priority")]
    [InlineData("""{"policy":"SCHED_OTHER","flags":["SCHED_FLAG_NOSUCH"]}""", "flags")]
    [InlineData("""{"policy":"SCHED_DEADLINE","runtime":1}""", "SCHED_DEADLINE")]
    [InlineData("""{"nice":1}""", "policy")]
    public void A_scheduler_that_there_is_not_is_refused(string scheduler, string word)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process["scheduler"] = JsonNode.Parse(scheduler);
        machine.Refuses(bundle, "config.json", "process.scheduler", word);
    }

    // config.md, "Linux Process", ioPriority: class and priority are as given.
    [Theory]
    [InlineData("IOPRIO_CLASS_BE", 3, "best-effort: prio 3")]
    [InlineData("IOPRIO_CLASS_RT", 7, "realtime: prio 7")]
    [InlineData("IOPRIO_CLASS_IDLE", 0, "idle")]
    public void An_io_priority_is_as_it_was_given(string type, int priority, string says)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/busybox", "ionice", "-p", "1");
        bundle.Process["ioPriority"] = new JsonObject { ["class"] = type, ["priority"] = priority };
        Assert.Equal(says, machine.OutputOf(bundle).Trim());
    }

    // config.md, "Linux Process", ioPriority: class and priority are required, and of a list.
    [Theory]
    [InlineData("""{"class":"IOPRIO_CLASS_NOSUCH","priority":1}""", "class")]
    [InlineData("""{"class":"IOPRIO_CLASS_BE","priority":8}""", "priority")]
    [InlineData("""{"class":"IOPRIO_CLASS_BE","priority":-1}""", "priority")]
    [InlineData("""{"priority":1}""", "class")]
    public void An_io_priority_that_there_is_not_is_refused(string priority, string word)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process["ioPriority"] = JsonNode.Parse(priority);
        machine.Refuses(bundle, "config.json", $"process.ioPriority.{word}");
    }

    // config.md, "Linux Process", execCPUAffinity: it holds for further processes, and not for the first one.
    [Theory]
    [InlineData("""{"initial":"0"}""", "0")]
    [InlineData("""{"final":"1"}""", "1")]
    [InlineData("""{"initial":"0","final":"0-1"}""", "0-1")]
    [InlineData("""{"initial":"0-1","final":"0"}""", "0")]
    public void A_further_process_runs_on_the_processors_that_are_given(string affinity, string list)
    {
        Assert.SkipUnless(Environment.ProcessorCount == 2, "the expected lists are those of a machine with two processors");
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.Process["execCPUAffinity"] = JsonNode.Parse(affinity);
        var id = machine.Start(bundle.Write());
        Assert.Equal("0-1", Expectations.StatusOf(File.ReadAllText($"/proc/{machine.Pid(id)}/status"), "Cpus_allowed_list"));
        var exec = machine.Oci("exec", id, "cat", "/proc/self/status");
        Expectations.Succeeds(exec);
        Assert.Equal(list, Expectations.StatusOf(exec.Output, "Cpus_allowed_list"));
    }

    // config.md, "Linux Process", execCPUAffinity: a list of numbers and ranges.
    [Theory]
    [InlineData("""{"initial":"x"}""", "initial")]
    [InlineData("""{"final":"3-1"}""", "final")]
    public void Processors_that_are_no_list_are_refused(string affinity, string member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process["execCPUAffinity"] = JsonNode.Parse(affinity);
        machine.Refuses(bundle, "config.json", $"process.execCPUAffinity.{member}");
    }
}
