using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>What a device had before tuning changed it, in the file that the plug-in keeps for it too.</summary>
sealed record TuningBackup(LinkSettings Link)
{
    /// <summary>Of that which is going to change.</summary>
    public static TuningBackup Of(NetworkLink device, LinkSettings change) => new(new LinkSettings
    {
        HardwareAddress = change.HardwareAddress is null ? null : device.HardwareAddress,
        Mtu = change.Mtu is null ? null : device.Mtu,
        IsPromiscuous = change.IsPromiscuous is null ? null : device.IsPromiscuous,
        TakesAllGroups = change.TakesAllGroups is null ? null : device.TakesAllGroups,
        QueueLength = change.QueueLength is null ? null : device.QueueLength,
    });

    /// <summary>Null where there is none.</summary>
    public static TuningBackup? TryRead(string directory, PluginCall call) =>
        Files.TryReadText(FileDescriptor.WorkingDirectory, $"{directory}/{NameOf(call)}") is { } text
            ? SpecNode.Parse(Encoding.UTF8.GetBytes(text), $"{directory}/{NameOf(call)}", Read)
            : null;

    public static void Remove(string directory, PluginCall call) => Files.TryUnlink(FileDescriptor.WorkingDirectory, $"{directory}/{NameOf(call)}");

    public void Write(string directory, PluginCall call)
    {
        using var opened = Files.EnsureDirectories(directory);
        Files.WriteAll(opened, NameOf(call), SpecWriter.Write(Link, (json, link) =>
        {
            json.Text("mac", link.HardwareAddress is null ? null : PluginOptions.FormatMac(link.HardwareAddress));
            json.Flag("promisc", link.IsPromiscuous);
            json.Unsigned("mtu", link.Mtu);
            json.Flag("allmulti", link.TakesAllGroups);
            json.Unsigned("txQLen", link.QueueLength);
        }), 0x180);
    }

    static TuningBackup Read(SpecNode node) => new(new LinkSettings
    {
        HardwareAddress = node.FindFilled("mac") is { } mac ? PluginOptions.ParseMac(mac, "mac") : null,
        IsPromiscuous = node.Find("promisc")?.Flag(),
        Mtu = node.Find("mtu")?.UInt() is > 0 and var mtu ? mtu : null,
        TakesAllGroups = node.Find("allmulti")?.Flag(),
        QueueLength = node.Find("txQLen")?.UInt(),
    });

    static string NameOf(PluginCall call) => $"{call.ContainerId}_{call.InterfaceName}.json";
}
