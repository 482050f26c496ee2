namespace Nacelle.EndToEnd.Tests;

/// <summary>What an app runs, where, and how its pod ends: --exec, arguments, --working-dir, exit codes.</summary>
public sealed class AppCommandLineTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    string Output(params string[] arguments)
    {
        var run = machine.Nacelle(["run", .. arguments]);
        Assert.True(run.ExitCode == 0, run.ToString());
        return run.Output;
    }

    [Fact]
    public void Exec_takes_the_place_of_the_image_s_program_and_of_its_arguments()
    {
        Assert.Equal("\n", Output(TestImages.Volume, "--exec=/bin/echo"));
        Assert.Equal("a b c\n", Output(TestImages.Volume, "--exec=echo", "--", "a b", "c"));
        Assert.Equal("x\n", Output(TestImages.WithoutProgram, "--exec=/bin/echo", "--", "x"));
        Assert.Equal("--help -- - here\n", Output(TestImages.Busybox, "--exec=/bin/echo", "--", "--help", "--", "-", "here"));
    }

    [Fact]
    public void Arguments_alone_follow_the_entry_point() => Assert.Equal("given\n", Output(TestImages.Volume, "--", "echo given"));

    [Fact]
    public void Each_app_of_a_pod_has_its_own()
    {
        var lines = Output(
            TestImages.Busybox, "--name=one", "--exec=/bin/echo", "--", "one", "---", TestImages.Busybox, "--name=two", "--exec=/bin/echo", "--", "two").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["one", "two"], lines.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_working_directory_is_the_image_s_or_the_one_that_is_asked_for()
    {
        Assert.Equal("/data\n", Output(TestImages.Volume, "--exec=/bin/pwd"));
        Assert.Equal("/usr/bin\n", Output(TestImages.Volume, "--working-dir=/usr/bin", "--exec=/bin/pwd"));
        Assert.Equal("/\n", Output(TestImages.Busybox, "--exec=/bin/pwd"));
        Assert.Equal("/usr/bin\n", Output(TestImages.Busybox, "--working-dir=/usr/./bin/", "--exec=/bin/pwd"));
    }

    [Theory]
    [InlineData(0, "exit 0")]
    [InlineData(1, "exit 1")]
    [InlineData(255, "exit 255")]
    [InlineData(254, "exit 254")]
    [InlineData(143, "kill -TERM $$")]
    [InlineData(134, "kill -ABRT $$")]
    public void The_exit_code_is_the_app_s_and_is_kept(int code, string script)
    {
        var file = $"{machine.Path}/uuid";
        var run = machine.Shell(script, $"--uuid-file-save={file}");
        Assert.Equal((code, ""), (run.ExitCode, run.Errors));
        Assert.Contains($"app-busybox={code}\n", machine.Nacelle("status", $"--uuid-file={file}").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Our_own_error_is_254_and_an_app_s_254_is_told_from_it_by_the_pod()
    {
        Assert.Equal(254, machine.Nacelle("run", "none").ExitCode);
        Assert.Empty(machine.Pods());
        Assert.Equal(254, machine.Shell("exit 254").ExitCode);
        Assert.Single(machine.Pods());
    }

    [Fact]
    public void Arguments_take_the_place_of_the_images_own()
    {
        Assert.Equal(3, machine.Nacelle("run", TestImages.Volume).ExitCode);
        Assert.Equal(4, machine.Nacelle("run", TestImages.Volume, "--", "exit 4").ExitCode);
        Assert.Equal("x\n", machine.Nacelle("run", TestImages.Volume, "--exec=/bin/echo", "--", "x").Output);
    }
}
