using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>What the program finds: directory, variables, arguments, user. Further: <see cref="CapabilityTests"/>, <see cref="LimitTests"/>, <see cref="TerminalTests"/>.</summary>
public sealed class ProcessTests
{
    // config.md, "Process", cwd: the program starts there.
    [Theory]
    [InlineData("/etc")]
    [InlineData("/")]
    [InlineData("/proc/sys/kernel")]
    public void The_program_starts_in_the_working_directory(string directory)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/readlink", "/proc/self/cwd");
        bundle.Process["cwd"] = directory;
        Assert.Equal(directory, machine.OutputOf(bundle));
    }

    // config.md, "Process", cwd: the path is absolute, and has to be there.
    [Theory]
    [InlineData("etc")]
    [InlineData("")]
    [InlineData("./etc")]
    public void A_working_directory_that_is_not_absolute_is_refused(string directory)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process["cwd"] = directory;
        machine.Refuses(bundle, "config.json", "process.cwd");
    }

    // config.md, "Process", cwd: it is required.
    [Fact]
    public void A_process_without_a_working_directory_is_refused()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process.Remove("cwd");
        machine.Refuses(bundle, "config.json", "process.cwd");
    }

    // config.md, "Process", env: the variables are those that are given, as environ has them.
    [Fact]
    public void The_program_gets_the_variables_that_are_given()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/environ");
        bundle.Process["env"] = Expectations.List("ONE=1", "EMPTY=", "TWO=a=b c", "LINES=x\ny", "ONE=again");
        var variables = machine.OutputOf(bundle).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        Assert.Superset(new HashSet<string> { "EMPTY=", "TWO=a=b c", "LINES=x\ny", "ONE=again" }, variables.ToHashSet());
        Assert.All(variables, variable => Assert.True(variable.Split('=')[0] is "ONE" or "EMPTY" or "TWO" or "LINES" or "HOME", variable));
    }

    // config.md, "Process", args: every argument arrives as it was given.
    [Fact]
    public void The_program_gets_the_arguments_that_are_given()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sh", "-c", "cat /proc/$$/cmdline; true", "zero", "", "a b", "ü", "\"'$x\n");
        Assert.Equal(["/bin/sh", "-c", "cat /proc/$$/cmdline; true", "zero", "", "a b", "ü", "\"'$x\n", ""], machine.OutputOf(bundle).Split('\0'));
    }

    // config.md, "Process", args: the first is looked for as execvp(3) does, along the PATH of the process.
    [Theory]
    [InlineData("tool", "PATH=/nowhere:/etc/tools:/bin", "from tools")]
    [InlineData("tool", "PATH=/bin", "from bin")]
    [InlineData("./tool", "PATH=/bin", "from tools")]
    [InlineData("/bin/tool", "PATH=/etc/tools", "from bin")]
    public void The_program_is_looked_for_along_the_path(string name, string path, string output)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle(name);
        Directory.CreateDirectory($"{bundle.Rootfs}/etc/tools");
        foreach (var (directory, word) in new[] { ("etc/tools", "tools"), ("bin", "bin") })
        {
            File.WriteAllText($"{bundle.Rootfs}/{directory}/tool", $"#!/bin/sh\necho from {word}\n");
            File.SetUnixFileMode($"{bundle.Rootfs}/{directory}/tool", (UnixFileMode)0x1ED);
        }

        bundle.Process["env"] = Expectations.List(path);
        bundle.Process["cwd"] = "/etc/tools";
        Assert.Equal(output, machine.OutputOf(bundle));
    }

    // config.md, "Process", args: at least one entry is required.
    [Theory]
    [InlineData("[]")]
    [InlineData("[\"\"]")]
    [InlineData(null)]
    public void A_process_without_a_program_is_refused(string? arguments)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle();
        bundle.Process.Remove("args");
        if (arguments is not null)
        {
            bundle.Process["args"] = JsonNode.Parse(arguments);
        }

        machine.Refuses(bundle, "config.json", "process.args");
    }

    // config.md, "Process", args: what is not there or cannot be executed is an error, and no container is left.
    [Theory]
    [InlineData("/bin/nosuch")]
    [InlineData("nosuch")]
    [InlineData("/etc/passwd")]
    [InlineData("/etc")]
    public void A_program_that_cannot_be_executed_is_an_error(string program)
    {
        using var machine = new OciMachine();
        var run = machine.RunBundle(machine.NewBundle(program).Write());
        Expectations.Fails(run, program);
        Assert.Equal("", machine.Oci("list", "-q").Output);
    }

    // config.md, "POSIX-platform User": uid, gid and the further groups are the container's; nothing of the caller's groups is left.
    [Theory]
    [InlineData(0, 0, "")]
    [InlineData(1000, 1000, "")]
    [InlineData(7, 8, "5,6,4000000000")]
    public void The_program_runs_as_the_user_and_groups_that_are_given(int uid, int gid, string further)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/status").Write();
        var groups = further.Split(',', StringSplitOptions.RemoveEmptyEntries);
        bundle.Process["user"] = new JsonObject { ["uid"] = uid, ["gid"] = gid, ["additionalGids"] = new JsonArray([.. groups.Select(group => JsonNode.Parse(group))]) };
        var command = $"exec setpriv --groups 11,12 {OciMachine.Program} --root={machine.Root} run --bundle={bundle.Write().Path} {OciMachine.NewId()}";
        var run = OciMachine.Run("/bin/sh", "-c", command);
        Expectations.Succeeds(run);
        Assert.Equal($"{uid}\t{uid}\t{uid}\t{uid}", Expectations.StatusOf(run.Output, "Uid"));
        Assert.Equal($"{gid}\t{gid}\t{gid}\t{gid}", Expectations.StatusOf(run.Output, "Gid"));
        Assert.Equal(groups, Expectations.StatusOf(run.Output, "Groups").Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    // config.md, "POSIX-platform User", umask.
    [Theory]
    [InlineData(0)]
    [InlineData(0x3F)]
    [InlineData(0x1FF)]
    public void The_umask_is_the_one_that_is_given(int umask)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/status");
        bundle.Process["user"]!["umask"] = umask;
        Assert.Equal("0" + Convert.ToString(umask, 8).PadLeft(3, '0'), Expectations.StatusOf(machine.OutputOf(bundle), "Umask").PadLeft(4, '0'));
    }

    // config.md, "POSIX-platform User", umask: what is not said is the caller's.
    [Theory]
    [InlineData("077", "0077")]
    [InlineData("0002", "0002")]
    public void Without_a_umask_the_callers_is_kept(string callers, string expected)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/status").Write();
        var command = $"umask {callers}; exec {OciMachine.Program} --root={machine.Root} run --bundle={bundle.Path} {OciMachine.NewId()}";
        Assert.Equal(expected, Expectations.StatusOf(OciMachine.Run("/bin/sh", "-c", command).Output, "Umask").PadLeft(4, '0'));
    }

    // config.md, "Linux Process", noNewPrivileges: the kernel's flag of that name is as it says.
    [Theory]
    [InlineData(true, "1")]
    [InlineData(false, "0")]
    [InlineData(null, "0")]
    public void NoNewPrivileges_is_as_it_says(bool? value, string flag)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/status");
        bundle.Process.Remove("noNewPrivileges");
        if (value is { } given)
        {
            bundle.Process["noNewPrivileges"] = given;
        }

        Assert.Equal(flag, Expectations.StatusOf(machine.OutputOf(bundle), "NoNewPrivs"));
    }

    // config.md, "Linux Process", oomScoreAdj: the score is the given one; when none is given, it is left alone.
    [Theory]
    [InlineData(500, "500")]
    [InlineData(1000, "1000")]
    [InlineData(null, "321")]
    public void The_out_of_memory_score_is_set_or_left_alone(int? score, string expected)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/oom_score_adj");
        if (score is { } given)
        {
            bundle.Process["oomScoreAdj"] = given;
        }

        var command = $"echo 321 > /proc/self/oom_score_adj; exec {OciMachine.Program} --root={machine.Root} run --bundle={bundle.Write().Path} {OciMachine.NewId()}";
        Assert.Equal($"{expected}\n", OciMachine.Run("/bin/sh", "-c", command).Output);
    }

    // config.md, "Linux Process", oomScoreAdj: proc_pid_oom_score_adj(5) has -1000 to 1000.
    [Theory]
    [InlineData(1001)]
    [InlineData(-1001)]
    public void An_out_of_memory_score_that_there_is_not_is_refused(int score)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process["oomScoreAdj"] = score;
        machine.Refuses(bundle, "config.json", "process.oomScoreAdj");
    }

    // config.md, "Linux Process", apparmorProfile and selinuxLabel: what the kernel cannot apply is an error.
    [Theory]
    [InlineData("apparmorProfile")]
    [InlineData("selinuxLabel")]
    public void A_label_that_the_kernel_does_not_know_is_an_error(string member)
    {
        Assert.SkipWhen(Directory.Exists("/sys/fs/selinux") || Directory.Exists("/sys/kernel/security/apparmor"), "the kernel has a security module that may know it");
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process[member] = "nosuch";
        machine.Refuses(bundle, "nosuch");
    }
}
