using System.Globalization;

namespace Nacelle.EndToEnd.Tests;

public sealed class LogTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    /// <summary>Runs a pod to its end.</summary>
    string Ran(string script)
    {
        machine.Shell(script, $"--uuid-file-save={machine.Path}/uuid");
        return File.ReadAllText(machine.Path + "/uuid").Trim();
    }

    [Fact]
    public void What_was_written_is_shown_where_it_was_written_to()
    {
        var logs = machine.Nacelle("logs", Ran("echo out; echo err >&2; printf unfinished"));
        Assert.Equal("out\nunfinished\n", logs.Output);
        Assert.Equal("err\n", logs.Errors);
    }

    [Fact]
    public void Long_lines_and_bytes_of_any_kind_come_back_whole()
    {
        var logs = machine.Nacelle("logs", Ran("head -c 100000 /dev/zero; echo; printf '\\377 P F\\n'"));
        Assert.Equal(new string('\0', 100000) + "\n\u00ff P F\n", logs.Output);
    }

    [Fact]
    public void The_last_lines_are_shown_alone()
    {
        var uuid = Ran("seq 100");
        Assert.Equal("99\n100\n", machine.Nacelle("logs", "--tail=2", uuid).Output);
        Assert.Equal("", machine.Nacelle("logs", "--tail=0", uuid).Output);
        Assert.Equal(100, machine.Nacelle("logs", "--tail=1000", uuid).Output.Split('\n').Length - 1);
    }

    [Fact]
    public void Lines_are_found_by_their_times()
    {
        var uuid = Ran("echo early; sleep 1.2; echo late");
        var lines = machine.Nacelle("logs", "--timestamps", uuid).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z early$", lines[0]);
        var middle = DateTimeOffset.Parse(lines[0].Split(' ')[0], CultureInfo.InvariantCulture).AddSeconds(0.6).ToString("o", CultureInfo.InvariantCulture);
        Assert.Equal("late\n", machine.Nacelle("logs", $"--since={middle}", uuid).Output);
        Assert.Equal("early\n", machine.Nacelle("logs", $"--until={middle}", uuid).Output);
        Assert.Equal("early\nlate\n", machine.Nacelle("logs", "--since=10m", uuid).Output);
        Assert.Equal("nacelle: --since=yesterday: write a duration, as in 30m or 1h30m\n", machine.Nacelle("logs", "--since=yesterday", uuid).Errors);
    }

    [Fact]
    public void Of_several_apps_each_line_says_whose_it_is()
    {
        machine.Nacelle(
            "run", $"--uuid-file-save={machine.Path}/uuid", TestImages.Busybox, "--name=one", "--exec=/bin/sh", "--", "-c", "echo first; sleep 0.6; echo third", "---",
            TestImages.Busybox, "--name=two", "--exec=/bin/sh", "--", "-c", "sleep 0.3; echo second");
        var uuid = File.ReadAllText(machine.Path + "/uuid").Trim();
        Assert.Equal("one: first\ntwo: second\none: third\n", machine.Nacelle("logs", uuid).Output);
        Assert.Equal("second\n", machine.Nacelle("logs", "--app=two", uuid).Output);
        Assert.Equal("nacelle: the pod has no app 'three', only one, two\n", machine.Nacelle("logs", "--app=three", uuid).Errors);
    }

    [Fact]
    public void Whoever_follows_sees_all_until_the_pod_ends()
    {
        var (_, uuid) = machine.StartShell("i=0; while test $i -lt 20; do i=$((i+1)); echo $i; sleep 0.05; done");
        var logs = machine.Nacelle("logs", "--follow", uuid);
        Assert.Equal(string.Concat(Enumerable.Range(1, 20).Select(i => $"{i}\n")), logs.Output);
        Assert.Equal(0, logs.ExitCode);
    }

    [Fact]
    public void A_log_that_was_turned_over_is_read_on()
    {
        // 12 MB of lines: the log is turned over once on the way, and both files together hold all.
        var (_, uuid) = machine.StartShell("seq -f 'a line that is made a little longer than it needs to be %g' 120000 > /dev/null; i=0; while test $i -lt 150; do i=$((i+1)); seq 1000 1999; done; echo last");
        var logs = machine.Nacelle("logs", "--follow", uuid);
        Assert.EndsWith("1999\nlast\n", logs.Output, StringComparison.Ordinal);
        Assert.Equal(150_001, logs.Output.Split('\n').Length - 1);
    }
}
