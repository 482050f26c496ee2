using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

public sealed class NetDeviceFormTests
{
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
}
