namespace Nacelle.EndToEnd.Tests;

/// <summary>The variables of apps, and whose word counts more.</summary>
public sealed class EnvironmentTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void The_environment_has_its_precedence()
    {
        var file = machine.Path + "/variables";
        File.WriteAllText(file, "# comment\nA=file\nB=file\n\n");
        var result = machine.Nacelle(
            "run", $"--set-env-file={file}", "--set-env=B=set", "--set-env=C=set", TestImages.Busybox, "--environment=C=app", "--",
            "sh", "-c", "echo $A $B $C $FROM_IMAGE $PATH $HOME $AC_APP_NAME $container");
        Assert.Equal("file set app image /bin:/usr/bin /root busybox nacelle\n", result.Output);
    }

    [Fact]
    public void What_the_image_does_not_say_is_as_appc_promises() => Assert.Equal(
        ["AC_APP_NAME=busybox", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "container=nacelle"],
        machine.Nacelle("run", TestImages.WithoutProgram, "--exec=/bin/busybox", "--", "env").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));

    [Fact]
    public void The_callers_own_are_passed_on_only_by_flag_and_are_the_weakest()
    {
        string[] WithCallers(params string[] flags) => Machine.Run(
            "/usr/bin/env", ["-i", "CALLER=yes", "FROM_IMAGE=caller", "EMPTY=", "JOURNAL_STREAM=1:2", Machine.Program, .. machine.Flags, "run", .. flags, TestImages.Busybox, "--exec=/bin/env"])
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.DoesNotContain("CALLER=yes", WithCallers());
        var inherited = WithCallers("--inherit-env");
        Assert.Contains("CALLER=yes", inherited);
        Assert.Contains("EMPTY=", inherited);
        Assert.Contains("FROM_IMAGE=image", inherited);
        Assert.DoesNotContain("JOURNAL_STREAM=1:2", inherited); // which the app's output is not
        Assert.Contains("CALLER=set", WithCallers("--inherit-env", "--set-env=CALLER=set"));
    }

    [Fact]
    public void Values_are_taken_as_they_are()
    {
        var file = machine.Path + "/variables";
        File.WriteAllText(file, "; a comment\n  A=b=c \nQUOTED=\"x y\"\n");
        var run = machine.Nacelle("run", $"--set-env-file={file}", "--set-env=LINES=one\ntwo", TestImages.Busybox, "--exec=/bin/sh", "--", "-c", "echo \"$A\" \"$QUOTED\"; echo \"$LINES\"");
        Assert.Equal("b=c \"x y\"\none\ntwo\n", run.Output);
    }

    [Fact]
    public void Each_app_has_its_own()
    {
        var run = machine.Nacelle(
            "run", "--set-env=N=0", TestImages.Busybox, "--name=a", "--environment=N=1", "--exec=/bin/sh", "--", "-c", "echo a $N", "---", TestImages.Busybox, "--name=b", "--exec=/bin/sh", "--", "-c", "echo b $N");
        Assert.Equal(["", "a 1", "b 0"], run.Output.Split('\n').Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("--set-env=novalue", "--set-env=novalue")]
    [InlineData("--set-env==x", "--set-env==x")]
    [InlineData("--set-env-file=/no/such/file", "there is no such file")]
    public void Nonsense_is_refused_in_one_line(string flag, string complaint)
    {
        var run = machine.Shell("true", flag);
        Assert.True(run.ExitCode == 254, run.ToString());
        Assert.Contains(complaint, Assert.Single(run.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        var file = machine.Path + "/variables";
        File.WriteAllText(file, "A=1\nwrong\n");
        Assert.Contains($"{file}, line 2", machine.Shell("true", $"--set-env-file={file}").Errors, StringComparison.Ordinal);
        Assert.Empty(machine.Pods());
    }
}
