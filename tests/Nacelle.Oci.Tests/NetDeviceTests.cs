using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Network devices that move from the host into a container; shown with one end of a veth pair.</summary>
public sealed class NetDeviceTests
{
    // config-linux.md, "Network Devices": the device is in the container, by its own name or the one that is given, is up, and keeps its addresses; it is never taken back.
    [Theory]
    [InlineData(null, "nact0")]
    [InlineData("inside0", "inside0")]
    [InlineData("eth%d", "eth0")]
    public void A_device_moves_into_the_container(string? name, string inside)
    {
        using var machine = new OciMachine();
        using var pair = new VirtualPair("nact0", "nact1");
        Expectations.Succeeds(OciMachine.Run("ip", "address", "add", "192.0.2.7/24", "dev", "nact0"));
        Expectations.Succeeds(OciMachine.Run("ip", "address", "add", "2001:db8::7/64", "dev", "nact0", "nodad"));
        Expectations.Succeeds(OciMachine.Run("ip", "link", "set", "nact0", "mtu", "1400"));
        var bundle = machine.NewBundle("/bin/ip", "address", "show", "dev", inside);
        bundle.Linux["netDevices"] = new JsonObject { ["nact0"] = name is null ? [] : new JsonObject { ["name"] = name } };
        var output = machine.OutputOf(bundle);
        Assert.Contains("UP", output[..output.IndexOf('\n')], StringComparison.Ordinal);
        Assert.Contains("mtu 1400", output, StringComparison.Ordinal);
        Assert.Contains("192.0.2.7/24", output, StringComparison.Ordinal);
        Assert.Contains("2001:db8::7/64", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists("/sys/class/net/nact0"), "the device was taken back");
    }

    // config-linux.md, "Network Devices": a name that the container has already is an error, and the device stays on the host.
    [Fact]
    public void A_name_that_is_there_already_is_an_error()
    {
        using var machine = new OciMachine();
        using var pair = new VirtualPair("nact0", "nact1");
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["netDevices"] = JsonNode.Parse("""{"nact0":{"name":"lo"}}""");
        machine.Refuses(bundle, "nact0");
        Assert.True(Directory.Exists("/sys/class/net/nact0"), "the device is gone from the host");
    }

    // config-linux.md, "Network Devices": a device that there is not cannot move.
    [Fact]
    public void A_device_that_there_is_not_is_an_error()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["netDevices"] = JsonNode.Parse("""{"nosuch0":{}}""");
        machine.Refuses(bundle, "nosuch0");
    }

    // config-linux.md, "Network Devices": names are those that devices can have, and there is a namespace to move into.
    [Theory]
    [InlineData("""{"eth0":{"name":"a/b"}}""", true)]
    [InlineData("""{"name-of-more-than-15-letters":{}}""", true)]
    [InlineData("""{"eth0":{"name":"same"},"eth1":{"name":"same"}}""", true)]
    [InlineData("""{"eth0":{}}""", false)]
    public void Devices_that_cannot_move_are_refused(string devices, bool withNamespace)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["netDevices"] = JsonNode.Parse(devices);
        if (!withNamespace)
        {
            bundle.RemoveNamespace("network");
        }

        machine.Refuses(bundle, "config.json", "linux.netDevices");
    }

    /// <summary>Two connected devices on the host, which go together.</summary>
    sealed class VirtualPair : IDisposable
    {
        readonly string other;

        public VirtualPair(string one, string other)
        {
            this.other = other;
            Assert.SkipUnless(File.Exists("/usr/sbin/ip") || File.Exists("/sbin/ip"), "there is no ip(8)");
            var made = OciMachine.Run("ip", "link", "add", one, "type", "veth", "peer", "name", other);
            Assert.SkipUnless(made.ExitCode == 0, $"the kernel makes no veth devices: {made.Errors}");
        }

        public void Dispose() => OciMachine.Run("ip", "link", "delete", other);
    }
}
