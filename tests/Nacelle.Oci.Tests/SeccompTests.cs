using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>What a filter does with system calls. Who listens to one: <see cref="SeccompListenerTests"/>.</summary>
public sealed class SeccompTests
{
    // config-linux.md, "Seccomp", action: each action does what seccomp(2) says; 159 is the end by SIGSYS, signal 31.
    [Theory]
    [InlineData("SCMP_ACT_ERRNO", null, "Operation not permitted", 1)]
    [InlineData("SCMP_ACT_ERRNO", 28, "No space left on device", 1)]
    [InlineData("SCMP_ACT_ERRNO", 13, "Permission denied", 1)]
    [InlineData("SCMP_ACT_ALLOW", null, "", 0)]
    [InlineData("SCMP_ACT_LOG", null, "", 0)]
    [InlineData("SCMP_ACT_KILL", null, "", 159)]
    [InlineData("SCMP_ACT_KILL_THREAD", null, "", 159)]
    [InlineData("SCMP_ACT_KILL_PROCESS", null, "", 159)]
    [InlineData("SCMP_ACT_TRAP", null, "", 159)]
    [InlineData("SCMP_ACT_TRACE", null, "Function not implemented", 1)]
    [InlineData("SCMP_ACT_TRACE", 5, "Function not implemented", 1)]
    public void An_action_does_what_it_says(string action, int? errno, string says, int code)
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("mkdir /mnt/new; echo code $?");
        bundle.AddMount("/mnt", "tmpfs", "tmpfs");
        var rule = Rule(action, "mkdir", "mkdirat");
        if (errno is { } number)
        {
            rule["errnoRet"] = number;
        }

        bundle.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", rule);
        var run = machine.RunBundle(bundle.Write());
        Assert.Contains(says, run.Errors, StringComparison.Ordinal);
        Assert.EndsWith($"code {code}\n", run.Output, StringComparison.Ordinal);
    }

    // config-linux.md, "Seccomp", SCMP_ACT_TRAP: the process gets a signal that it can handle, which SCMP_ACT_KILL_PROCESS does not give it.
    [Theory]
    [InlineData("SCMP_ACT_TRAP", "trapped")]
    [InlineData("SCMP_ACT_KILL_PROCESS", "")]
    public void Only_a_trap_can_be_handled(string action, string output)
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("sh -c 'trap \"echo trapped\" SYS; cd /tmp' 2>/dev/null; exit 0");
        bundle.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule(action, "chdir"));
        Assert.Equal(output, machine.OutputOf(bundle).Split('\n')[0]);
    }

    // config-linux.md, "Seccomp", defaultAction and defaultErrnoRet: what no rule names has this fate.
    [Theory]
    [InlineData(null, "Operation not permitted")]
    [InlineData(30, "Read-only file system")]
    public void The_default_action_is_for_calls_that_no_rule_names(int? errno, string says)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/mkdir", "/dev/shm/new");
        bundle.Linux["seccomp"] = Filter("SCMP_ACT_ERRNO", Rule("SCMP_ACT_ALLOW", [.. NeededByMkdir]));
        if (errno is { } number)
        {
            bundle.Linux["seccomp"]!["defaultErrnoRet"] = number;
        }

        var run = machine.RunBundle(bundle.Write());
        Assert.Contains(says, run.Errors, StringComparison.Ordinal);
    }

    // config-linux.md, "Seccomp", args: each operator compares an argument; kill(2)'s second is 17, 18, 23 and 28 here, all of them signals without effect.
    [Theory]
    [InlineData("SCMP_CMP_EQ", 18, null, "17 23 28")]
    [InlineData("SCMP_CMP_NE", 18, null, "18")]
    [InlineData("SCMP_CMP_LT", 18, null, "18 23 28")]
    [InlineData("SCMP_CMP_LE", 18, null, "23 28")]
    [InlineData("SCMP_CMP_GT", 18, null, "17 18")]
    [InlineData("SCMP_CMP_GE", 18, null, "17")]
    [InlineData("SCMP_CMP_MASKED_EQ", 1, 1, "18 28")]
    [InlineData("SCMP_CMP_MASKED_EQ", 0xFC, 16, "23 28")]
    public void An_operator_compares_as_it_says(string op, int value, int? valueTwo, string allowed)
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("for s in 17 18 23 28; do kill -$s $$ 2>/dev/null && echo $s; done; exit 0");
        bundle.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", Argument(1, value, op, valueTwo)));
        Assert.Equal(allowed, machine.OutputOf(bundle).Replace('\n', ' '));
    }

    // config-linux.md, "Seccomp", args: all of a rule's comparisons have to hold, of different arguments; another rule for the call is an alternative.
    [Fact]
    public void All_comparisons_of_a_rule_hold_together_and_rules_are_alternatives()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("for s in 17 18 23 28; do kill -$s $$ 2>/dev/null && echo $s; done; exit 0");
        var both = Rule("SCMP_ACT_ERRNO", Argument(1, 17, "SCMP_CMP_EQ"));
        both["args"]!.AsArray().Add((JsonNode)Argument(0, 1, "SCMP_CMP_EQ"));
        var never = Rule("SCMP_ACT_ERRNO", Argument(1, 18, "SCMP_CMP_EQ"));
        never["args"]!.AsArray().Add((JsonNode)Argument(0, 12345, "SCMP_CMP_EQ"));
        bundle.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", both, never, Rule("SCMP_ACT_ERRNO", Argument(1, 28, "SCMP_CMP_EQ")));
        Assert.Equal("18 23", machine.OutputOf(bundle).Replace('\n', ' '));
    }

    // config-linux.md, "Seccomp", flags: those that there are can be given.
    [Theory]
    [InlineData("SECCOMP_FILTER_FLAG_TSYNC")]
    [InlineData("SECCOMP_FILTER_FLAG_LOG")]
    [InlineData("SECCOMP_FILTER_FLAG_SPEC_ALLOW")]
    public void A_flag_is_taken(string flag)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/status");
        bundle.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", "mkdir"));
        bundle.Linux["seccomp"]!["flags"] = Expectations.List(flag);
        Assert.Equal("2", Expectations.StatusOf(machine.OutputOf(bundle), "Seccomp"));
    }

    // config-linux.md, "Seccomp": the filter holds with and without noNewPrivileges, for other users too, and for further processes.
    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 0)]
    [InlineData(true, 1000)]
    [InlineData(false, 1000)]
    public void A_filter_holds_for_every_process(bool noNewPrivileges, int user)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.Process["noNewPrivileges"] = noNewPrivileges;
        bundle.Process["user"] = new JsonObject { ["uid"] = user, ["gid"] = user };
        bundle.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", "mkdir"));
        var id = machine.Start(bundle.Write());
        Assert.Equal("2", Expectations.StatusOf(File.ReadAllText($"/proc/{machine.Pid(id)}/status"), "Seccomp"));
        var exec = machine.Oci("exec", id, "mkdir", "/dev/shm/new");
        Assert.Contains("Operation not permitted", exec.Errors, StringComparison.Ordinal);
    }

    // config-linux.md, "Seccomp", architectures: every name of the list is taken; calls of one that is not named end the process.
    [Fact]
    public void Every_architecture_is_taken()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("mkdir /dev/shm/new; echo code $?");
        bundle.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", "mkdir"));
        bundle.Linux["seccomp"]!["architectures"] = Expectations.List(
            "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32",
            "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X",
            "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB");
        Assert.Equal("code 1", machine.OutputOf(bundle));
    }

    // config-linux.md, "Seccomp", names: a call that this kernel has not is passed over, as profiles for many kernels need.
    [Fact]
    public void A_call_that_there_is_not_is_passed_over()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/echo", "runs");
        bundle.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", "no_such_call", "mkdir"));
        Assert.Equal("runs", machine.OutputOf(bundle));
    }

    // config-linux.md, "Seccomp": what is required is there, what is of a list is in it, and an error number is given to actions that return one only.
    [Theory]
    [InlineData("""{}""", "defaultAction")]
    [InlineData("""{"defaultAction":"SCMP_ACT_NOSUCH"}""", "defaultAction")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1}""", "defaultErrnoRet")]
    [InlineData("""{"defaultAction":"SCMP_ACT_KILL","defaultErrnoRet":1}""", "defaultErrnoRet")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_NOSUCH"]}""", "architectures")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_NOSUCH"]}""", "flags")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_ERRNO"}]}""", "syscalls[0].names")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_ERRNO"}]}""", "syscalls[0].names")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"]}]}""", "syscalls[0].action")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOSUCH"}]}""", "syscalls[0].action")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_KILL","errnoRet":1}]}""", "syscalls[0].errnoRet")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_LOG","errnoRet":1}]}""", "syscalls[0].errnoRet")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","args":[{"value":1,"op":"SCMP_CMP_EQ"}]}]}""", "syscalls[0].args[0].index")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"op":"SCMP_CMP_EQ"}]}]}""", "syscalls[0].args[0].value")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1}]}]}""", "syscalls[0].args[0].op")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","args":[{"index":6,"value":1,"op":"SCMP_CMP_EQ"}]}]}""", "syscalls[0].args[0].index")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1,"op":"SCMP_CMP_NOSUCH"}]}]}""", "syscalls[0].args[0].op")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"x"}""", "listenerMetadata")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]}""", "listenerPath")]
    public void A_filter_that_is_not_well_formed_is_refused(string seccomp, string member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["seccomp"] = JsonNode.Parse(seccomp);
        machine.Refuses(bundle, "config.json", $"linux.seccomp.{member}");
    }

    static readonly string[] NeededByMkdir =
    [
        "execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlink", "readlinkat", "getrandom", "mprotect", "mmap", "munmap",
        "getuid", "getpid", "getppid", "geteuid", "getgid", "getegid", "setuid", "setgid", "umask", "write", "writev", "exit_group", "exit", "fstat", "newfstatat", "stat", "statx", "ioctl", "prctl", "open", "openat", "close", "read",
        "rt_sigaction", "rt_sigprocmask", "time", "clock_gettime",
    ];

    public static JsonObject Filter(string defaultAction, params JsonObject[] rules) =>
        new() { ["defaultAction"] = defaultAction, ["architectures"] = Expectations.List("SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"), ["syscalls"] = new JsonArray([.. rules]) };

    public static JsonObject Rule(string action, params string[] names) => new() { ["names"] = Expectations.List(names), ["action"] = action };

    static JsonObject Rule(string action, JsonObject argument)
    {
        var rule = Rule(action, "kill");
        rule["args"] = new JsonArray(argument);
        return rule;
    }

    static JsonObject Argument(int index, int value, string op, int? valueTwo = null)
    {
        var argument = new JsonObject { ["index"] = index, ["value"] = value, ["op"] = op };
        if (valueTwo is { } second)
        {
            argument["valueTwo"] = second;
        }

        return argument;
    }
}
