namespace Nacelle.Oci.Tests;

/// <summary>A container's life by the commands that engines use.</summary>
public sealed class LifeCycleTests
{
    [Fact]
    public void A_container_is_created_started_stopped_and_deleted()
    {
        using var machine = new OciMachine();
        var id = machine.Create(machine.NewBundle("/bin/sleep", "1000").Write());
        Assert.Equal("created", machine.Status(id));
        Assert.Equal(0, machine.Oci("start", id).ExitCode);
        Assert.Equal("running", machine.Status(id));
        Assert.Equal("/bin/sleep 1000", File.ReadAllText($"/proc/{machine.Pid(id)}/cmdline").TrimEnd('\0').Replace('\0', ' '));
        Assert.Equal(0, machine.Oci("kill", id, "KILL").ExitCode);
        OciMachine.Eventually(() => machine.Status(id) == "stopped", "the container stops");
        Assert.Equal(0, machine.Oci("delete", id).ExitCode);
        Assert.Contains("does not exist", machine.Oci("state", id).Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$; sleep 1", 0)] // process 1 of a PID namespace does not hear its own signals
    public void Run_ends_with_the_processs_exit_code(string script, int code)
    {
        using var machine = new OciMachine();
        var run = machine.RunBundle(machine.Shell(script).Write());
        Assert.True(run.ExitCode == code, run.ToString());
    }

    [Fact]
    public void Nothing_of_the_host_is_mounted_in_the_container()
    {
        using var machine = new OciMachine();
        var run = machine.RunBundle(machine.Shell("cat /proc/self/mountinfo; cd /bin/..; ls -d /work /usr 2>&1").Write());
        var points = run.Output.Split('\n').Where(line => line.Contains(" - ", StringComparison.Ordinal)).Select(line => line.Split(' ')[4]).ToList();
        Assert.Single(points, point => point == "/");
        Assert.All(points, point => Assert.True(point == "/" || point.StartsWith("/proc", StringComparison.Ordinal) || point.StartsWith("/dev", StringComparison.Ordinal) || point.StartsWith("/sys", StringComparison.Ordinal), point));
        Assert.Contains("/usr: No such file", run.Output, StringComparison.Ordinal);
    }
}
