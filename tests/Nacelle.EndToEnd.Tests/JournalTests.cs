namespace Nacelle.EndToEnd.Tests;

/// <summary>What apps write, in the journal of a Debian whose process 1 is systemd.</summary>
public sealed class JournalTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void An_apps_lines_are_found_by_pod_and_by_app() => Assert.Equal(
        """
        out
        to the terminal: out
        6 out web
        3 err web
        half a line
        6 private
        300001
        true
        true
        1048576
        5
        named shop
        k8s-file 0
        none 0

        """.ReplaceLineEndings("\n"),
        SystemdHost.Run("""
            run() { $nacelle run --uuid-file-save=/run/uuid "$@"; journalctl --sync; }
            field() { journalctl -o json --output-fields=$1 CONTAINER_ID_FULL=$(cat /run/uuid) | sed -n 's/.*"'$1'":"\([^"]*\)".*/\1/p'; }
            printed=$(run $image --name=web --exec=/bin/sh -- -c 'echo out; echo err >&2; printf "half a line"' 2>/dev/null)
            journalctl -o cat -t web CONTAINER_ID_FULL=$(cat /run/uuid) PRIORITY=6 | head -n 1
            echo "to the terminal: $printed" | head -n 1 | sed 's/half.*//'
            for line in out err; do
                journalctl -o json -t web CONTAINER_ID=$(cut -c 1-8 /run/uuid) | grep "\"MESSAGE\":\"$line\"" | sed 's/.*"PRIORITY":"\(.\)".*/\1/' | tr -d '\n'; echo " $line $(field CONTAINER_NAME | head -n 1)"
            done
            journalctl -o cat CONTAINER_ID_FULL=$(cat /run/uuid) | grep half
            run --private-users $image --exec=/bin/echo -- private >/dev/null; echo "$(field PRIORITY) $(field MESSAGE)"
            run $image --exec=/bin/sh -- -c 'head -c 300000 /dev/zero | tr "\0" x; echo' >/dev/null; journalctl -o cat CONTAINER_ID_FULL=$(cat /run/uuid) | wc -c
            run $image --exec=/bin/sh -- -c 'head -c 2097157 /dev/zero | tr "\0" x; echo' >/dev/null; field CONTAINER_PARTIAL_MESSAGE
            journalctl -o cat CONTAINER_ID_FULL=$(cat /run/uuid) | awk '{ print length($0) }' | sed 1d
            run --name=shop $image --exec=/bin/echo -- named >/dev/null; echo "$(field MESSAGE) $(field NACELLE_POD_NAME)"
            for driver in k8s-file none; do run --log-driver=$driver $image --exec=/bin/echo -- quiet >/dev/null; echo $driver $(field MESSAGE | wc -l); done
            """));

    [Fact]
    public void A_pod_that_is_a_service_is_shown_with_its_unit_and_once() => Assert.Equal("once\nsyslog web\n", SystemdHost.Run("""
        systemd-run --quiet --wait --unit=shop --setenv=HOME=/root $nacelle run --uuid-file-save=/run/uuid $image --name=web --exec=/bin/echo -- once
        journalctl --sync; journalctl -o cat -u shop | grep -v '^Started\|^Deactivated\|^shop\|Consumed'
        journalctl -o json -u shop | grep '"MESSAGE":"once"' | sed 's/.*"SYSLOG_IDENTIFIER":"\([^"]*\)".*/syslog \1/'
        """));

    [Fact]
    public void Without_a_journal_nothing_is_missed_unless_it_is_insisted_on()
    {
        Assert.SkipWhen(File.Exists("/run/systemd/journal/socket"), "this machine has a journal");
        Assert.Equal("x\n", machine.Nacelle("run", TestImages.Busybox, "--exec=/bin/echo", "--", "x").Output);
        var run = machine.Nacelle("run", "--log-driver=journald", TestImages.Busybox, "--exec=/bin/echo", "--", "x");
        Assert.True(run.ExitCode == 254, run.ToString());
        Assert.Contains("there is no journal on this machine", Assert.Single(run.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Contains("use auto, journald, k8s-file, none", machine.Nacelle("run", "--log-driver=x", TestImages.Busybox).Errors, StringComparison.Ordinal);
        var file = $"{machine.Path}/uuid";
        Assert.Equal("x\n", machine.Nacelle("run", "--log-driver=none", $"--uuid-file-save={file}", TestImages.Busybox, "--exec=/bin/echo", "--", "x").Output);
        Assert.Equal("", machine.Nacelle("logs", $"--uuid-file={file}").Output);
    }
}
