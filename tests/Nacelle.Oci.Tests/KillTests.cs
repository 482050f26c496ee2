namespace Nacelle.Oci.Tests;

public sealed class KillTests
{
    // runtime.md, "Kill": the signal that is named reaches the container's process.
    [Theory]
    [InlineData("USR1", "USR1")]
    [InlineData("SIGUSR2", "USR2")]
    [InlineData("1", "HUP")]
    [InlineData("15", "TERM")]
    [InlineData("sigint", "INT")]
    [InlineData(null, "TERM")]
    public void A_signal_reaches_the_containers_process(string? signal, string arrives)
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("for s in HUP INT USR1 USR2 TERM; do trap \"echo $s > /data/got\" $s; done; touch /data/ready; while :; do sleep 0.1; done");
        var shared = machine.Share(bundle);
        var id = machine.Start(bundle.Write());
        OciMachine.Eventually(() => File.Exists($"{shared}/ready"), "the program is ready");
        Expectations.Succeeds(signal is null ? machine.Oci("kill", id) : machine.Oci("kill", id, signal));
        OciMachine.Eventually(() => File.Exists($"{shared}/got") && File.ReadAllText($"{shared}/got") == $"{arrives}\n", $"the program gets {arrives}");
    }

    // runtime.md, "Kill": a container that is created has a process that gets signals too.
    [Fact]
    public void A_created_container_can_be_killed()
    {
        using var machine = new OciMachine();
        var id = machine.Create(machine.NewBundle("/bin/true").Write());
        Expectations.Succeeds(machine.Oci("kill", id, "KILL"));
        machine.WaitUntilStopped(id);
    }

    // runtime.md, "Kill": without an id there is an error.
    [Fact]
    public void Killing_nothing_is_an_error()
    {
        using var machine = new OciMachine();
        Expectations.Fails(machine.Oci("kill"), "id is missing");
    }

    // runtime.md, "Kill": what does not exist gets no signals.
    [Fact]
    public void Killing_an_unknown_container_is_an_error()
    {
        using var machine = new OciMachine();
        Expectations.Fails(machine.Oci("kill", "nobody", "TERM"), "nobody", "does not exist");
    }

    // runtime.md, "Kill": a container that has stopped gets no signals, and stays as it is.
    [Fact]
    public void Killing_a_stopped_container_is_an_error_without_effect()
    {
        using var machine = new OciMachine();
        var id = machine.Start(machine.NewBundle("/bin/true").Write());
        machine.WaitUntilStopped(id);
        Expectations.Fails(machine.Oci("kill", id, "KILL"), id, "not running");
        Assert.Equal("stopped", machine.Status(id));
    }

    // runtime.md, "Kill", and "Errors": a signal that there is not reaches nobody.
    [Theory]
    [InlineData("NOSUCH")]
    [InlineData("0x9")]
    [InlineData("100")]
    [InlineData("-9")]
    public void A_signal_that_there_is_not_is_an_error_without_effect(string signal)
    {
        using var machine = new OciMachine();
        var id = machine.Start(machine.NewBundle("/bin/sleep", "1000").Write());
        Expectations.Fails(machine.Oci("kill", id, signal), signal);
        Assert.Equal("running", machine.Status(id));
    }
}
