using System.Text;

namespace Nacelle.Specs.Tests;

public sealed class RuntimeProcessCheckTests
{
    [Theory]
    [InlineData("cwd", "\"work\"", "cwd: 'work' is not an absolute path")]
    [InlineData("cwd", "\"/a\\u0000\"", "cwd: holds a NUL, where the kernel would cut it off")]
    [InlineData("args", "[]", "args: is empty: it names the program to run")]
    [InlineData("args", "null", "args: is empty: it names the program to run")]
    [InlineData("args", """["","a"]""", "args[0]: is empty")]
    [InlineData("args", """["a","\u0000"]""", "args[1]: holds a NUL, where the kernel would cut it off")]
    [InlineData("env", """["A=B","C"]""", "env[1]: 'C' is not a variable: write NAME=VALUE")]
    [InlineData("env", """["=B"]""", "env[0]: '=B' is not a variable: write NAME=VALUE")]
    [InlineData("env", """[""]""", "env[0]: '' is not a variable: write NAME=VALUE")]
    [InlineData("env", """["A=\u0000"]""", "env[0]: holds a NUL, where the kernel would cut it off")]
    [InlineData("rlimits[1].type", "\"RLIMIT_NOFILE\"", "rlimits[1].type: 'RLIMIT_NOFILE' is there twice")]
    [InlineData("rlimits[1].soft", "1", "rlimits[1].soft: 1 is above the hard limit, 0")]
    [InlineData("apparmorProfile", "\"\\u0000\"", "apparmorProfile: holds a NUL, where the kernel would cut it off")]
    [InlineData("selinuxLabel", "\"\\u0000\"", "selinuxLabel: holds a NUL, where the kernel would cut it off")]
    [InlineData("oomScoreAdj", "-1001", "oomScoreAdj: -1001 is out of range: use -1000 to 1000")]
    [InlineData("oomScoreAdj", "1001", "oomScoreAdj: 1001 is out of range: use -1000 to 1000")]
    [InlineData("consoleSize.height", "65536", "consoleSize.height: 65536 is out of range: use 0 to 65535")]
    [InlineData("user.uid", "4294967295", "user.uid: 4294967295 is nobody's number: to the kernel it says to change nothing")]
    [InlineData("user.gid", "4294967295", "user.gid: 4294967295 is nobody's number: to the kernel it says to change nothing")]
    [InlineData("user.additionalGids[1]", "4294967295", "user.additionalGids[1]: 4294967295 is nobody's number: to the kernel it says to change nothing")]
    [InlineData("user.uid", "65536", "user.uid: 65536 is not among those that linux.uidMappings maps")]
    [InlineData("user.gid", "65536", "user.gid: 65536 is not among those that linux.gidMappings maps")]
    [InlineData("user.additionalGids[0]", "70000", "user.additionalGids[0]: 70000 is not among those that linux.gidMappings maps")]
    [InlineData("ioPriority.class", "\"IOPRIO_CLASS_NONE\"", "ioPriority.class: 'IOPRIO_CLASS_NONE' is not an I/O class: use IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE")]
    [InlineData("ioPriority.priority", "8", "ioPriority.priority: 8 is out of range: use 0 to 7")]
    [InlineData("execCPUAffinity.initial", "\"3-1\"", "execCPUAffinity.initial: '3-1' is not a list of numbers and ranges such as 0-3,7")]
    [InlineData("execCPUAffinity.final", "\"0,\"", "execCPUAffinity.final: '0,' is not a list of numbers and ranges such as 0-3,7")]
    public void A_broken_rule_is_named_with_its_path(string member, string value, string complaint) =>
        Assert.Equal("process." + complaint, WholeConfig.Complaint(WholeConfig.With("process." + member, value)));

    [Theory]
    [InlineData("""{"policy":"SCHED_FAIR"}""", "process.scheduler.policy: 'SCHED_FAIR' is not a scheduling policy: use SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_ISO, SCHED_IDLE, SCHED_DEADLINE")]
    [InlineData("""{"policy":"SCHED_ISO"}""", "process.scheduler.policy: Linux reserves the number of SCHED_ISO, but has no such policy")]
    [InlineData("""{"policy":"SCHED_OTHER","flags":["SCHED_FLAG_X"]}""", "process.scheduler.flags[0]: 'SCHED_FLAG_X' is not a scheduling flag: use SCHED_FLAG_RESET_ON_FORK, ")]
    [InlineData("""{"policy":"SCHED_OTHER","nice":20}""", "process.scheduler.nice: 20 is out of range: use -20 to 19")]
    [InlineData("""{"policy":"SCHED_OTHER","priority":1}""", "process.scheduler.priority: 1 is out of range: use 0 to 0")]
    [InlineData("""{"policy":"SCHED_FIFO"}""", "process.scheduler.priority: 0 is out of range: use 1 to 99")]
    [InlineData("""{"policy":"SCHED_RR","priority":100}""", "process.scheduler.priority: 100 is out of range: use 1 to 99")]
    [InlineData("""{"policy":"SCHED_BATCH","period":1}""", "process.scheduler: runtime, deadline and period belong to SCHED_DEADLINE, not to SCHED_BATCH")]
    [InlineData("""{"policy":"SCHED_DEADLINE"}""", "process.scheduler: SCHED_DEADLINE wants 1024 <= runtime <= deadline <= period, in nanoseconds")]
    [InlineData("""{"policy":"SCHED_DEADLINE","runtime":3000,"deadline":2000}""", "process.scheduler: SCHED_DEADLINE wants ")]
    [InlineData("""{"policy":"SCHED_DEADLINE","runtime":2000,"deadline":3000,"period":2500}""", "process.scheduler: SCHED_DEADLINE wants ")]
    [InlineData("""{"policy":"SCHED_DEADLINE","runtime":2000,"deadline":18446744073709551615}""", "process.scheduler: SCHED_DEADLINE wants ")]
    public void A_scheduler_that_the_kernel_would_not_take_is_refused(string scheduler, string complaint) =>
        Assert.StartsWith(complaint, WholeConfig.Complaint(WholeConfig.With("process.scheduler", scheduler)), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"policy":"SCHED_OTHER","nice":-20,"flags":["SCHED_FLAG_RESET_ON_FORK"]}""")]
    [InlineData("""{"policy":"SCHED_FIFO","priority":99}""")]
    [InlineData("""{"policy":"SCHED_DEADLINE","runtime":2000,"deadline":3000}""")]
    public void A_scheduler_that_the_kernel_takes_is_fine(string scheduler) => Assert.Null(WholeConfig.Complaint(WholeConfig.With("process.scheduler", scheduler)));

    [Theory]
    [InlineData("0")]
    [InlineData("0-3,7")]
    [InlineData("0, 2 - 4 ,65535")]
    public void Lists_of_processors_may_have_ranges_and_spaces(string list) =>
        Assert.Null(WholeConfig.Complaint(WholeConfig.With("process.execCPUAffinity.final", $"\"{list}\"")));

    [Theory]
    [InlineData("a")]
    [InlineData("-1")]
    [InlineData("1-")]
    [InlineData("1-2-3")]
    [InlineData("65536")]
    [InlineData("99999999999")]
    [InlineData("1 2")]
    [InlineData(" ")]
    [InlineData("٣")]
    public void What_is_no_list_of_processors_is_refused(string list) =>
        Assert.Contains("is not a list of numbers and ranges", WholeConfig.Complaint(WholeConfig.With("process.execCPUAffinity.final", $"\"{list}\"")), StringComparison.Ordinal);

    [Fact]
    public void The_size_of_a_console_means_nothing_without_a_terminal()
    {
        var config = WholeConfig.Config;
        (config with { Process = config.Process! with { Terminal = false, ConsoleSize = new RuntimeConsoleSize(100_000, 1) } }).Check("config.json");
    }

    [Fact]
    public void Users_of_a_joined_namespace_are_not_looked_up_in_mappings_that_are_repeated_for_it() =>
        Assert.Null(WholeConfig.Complaint(WholeConfig.With("linux.namespaces[5]", """{"type":"user","path":"/proc/1/ns/user"}""").Replace("\"uid\":1,", "\"uid\":99999,", StringComparison.Ordinal)));

    [Fact]
    public void A_process_alone_is_read_checked_and_written_with_paths_of_its_own()
    {
        var process = RuntimeProcess.Parse(WholeConfig.Config.Process!.ToJson(), "process.json");
        process.Check("process.json");
        Assert.Equal(WholeConfig.Config.Process.ToJson(), process.ToJson());
        Assert.Equal(
            "process.json: env[0]: 'A' is not a variable: write NAME=VALUE",
            Assert.Throws<SpecException>(() => RuntimeProcess.Parse("""{"cwd":"/","args":["a"],"env":["A"]}"""u8, "process.json").Check("process.json")).Message);
        Assert.Equal("process.json: cwd: is missing", Assert.Throws<SpecException>(() => RuntimeProcess.Parse("{}"u8, "process.json")).Message);
    }
}
