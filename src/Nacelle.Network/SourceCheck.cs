using System.Text;
using Nacelle.Linux;

namespace Nacelle.Network;

/// <summary>Lets nothing through a bridge that a pod sends from a hardware address other than its own: <c>macspoofchk</c> of bridge.</summary>
static class SourceCheck
{
    const string Ports = "ports", Sources = "sources", Chain = "check";

    static readonly string[] Sets = [Ports, Sources];

    public static void Add(PluginCall call, string port, byte[] mac)
    {
        string owner = RuleOwner.Of(call);
        byte[] name = NameOf(port);
        using var table = Open();
        table.Change(_ => { }, batch => batch
            .AddElement(Sources, new NftablesElement(NftablesElement.Join(name, mac)) { Comment = owner })
            .AddElement(Ports, new NftablesElement(name) { Comment = owner }));
    }

    public static void Remove(PluginCall call)
    {
        string owner = RuleOwner.Of(call);
        using var table = Open();
        table.Remove(Sets, owner.Equals);
    }

    public static void Collect(PluginCall call)
    {
        using var table = Open();
        table.Collect(call, Sets);
    }

    /// <summary>A device's name as the packet filter has it.</summary>
    public static byte[] NameOf(string device)
    {
        var name = new byte[NftablesType.DeviceName.Size];
        Encoding.UTF8.GetBytes(device, name);
        return name;
    }

    static PacketTable Open() => new(NftablesFamily.Bridge, "Nacelle's bridges, form 1", batch => batch
        .AddSet(new(Ports, NftablesType.DeviceName))
        .AddSet(new(Sources, NftablesType.DeviceName, NftablesType.HardwareAddress))
        .AddChain(Chain, "filter", NftablesHook.Prerouting, -300)
        .ClearChain(Chain)
        .AddRule(Chain, new NftablesRule().WhenIn(Ports, NftablesField.InputDevice).WhenNotIn(Sources, NftablesField.InputDevice, NftablesField.HardwareSource).Then(NftablesVerdict.Drop)));
}
