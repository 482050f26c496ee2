using System.Globalization;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>What the configurations of the built-in plug-ins have in common.</summary>
static class PluginOptions
{
    public static string NetworkOf(PluginCall call) => SpecNode.Of(call.Configuration).Need("name").Text();

    /// <summary>The value of CNI_ARGS; null where it is missing or empty.</summary>
    public static string? FindArgument(this PluginCall call, string name) =>
        call.Arguments.LastOrDefault(argument => argument.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value is { Length: > 0 } value ? value : null;

    /// <summary>What <c>dns</c> says; null where it says nothing.</summary>
    public static NetworkDns? ReadDns(SpecNode node) => node.Find("dns", NetworkDns.Read) is { IsEmpty: false } dns ? dns : null;

    /// <summary>The largest packet, in bytes; null where that is left to the kernel.</summary>
    public static uint? ReadMtu(SpecNode root) => root.Find("mtu")?.UInt() is > 0 and var mtu ? mtu : null;

    /// <summary>The hardware address that is asked for by CNI_ARGS, in its place by <c>args.cni.mac</c>, and in the place of both by the capability <c>mac</c>; null for none.</summary>
    public static byte[]? FindMac(PluginCall call)
    {
        var root = SpecNode.Of(call.Configuration);
        var wanted = root.Find("runtimeConfig")?.FindFilled("mac") ?? root.Find("args")?.Find("cni")?.FindFilled("mac") ?? call.FindArgument("MAC");
        return wanted is null ? null : ParseMac(wanted, "mac");
    }

    /// <param name="text">As in <c>0a:58:0a:01:00:05</c>.</param>
    public static byte[] ParseMac(string text, string path)
    {
        const int Length = 6;
        var parts = text.Split(':', '-');
        var bytes = new byte[Length];
        bool valid = parts.Length == Length;
        for (int i = 0; valid && i < Length; i++)
        {
            valid = parts[i].Length == 2 && byte.TryParse(parts[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[i]);
        }

        return valid ? bytes : throw new SpecException(path, $"'{text}' is not a hardware address, as in 0a:58:0a:01:00:05");
    }

    public static string FormatMac(ReadOnlySpan<byte> address) => string.Join(':', address.ToArray().Select(part => part.ToString("x2", CultureInfo.InvariantCulture)));

    /// <summary>The attachments that GC says are valid.</summary>
    public static IReadOnlyList<(string Container, string Interface)> ReadValidAttachments(PluginCall call) => SpecNode.Of(call.Configuration)
        .List("cni.dev/valid-attachments", one => (one.Need("containerID").Text(), one.Need("ifname").Text()));

    /// <summary>Why a configuration wants iptables, which the programs know; null where it does not.</summary>
    /// <param name="name">The key that says with what packets are filtered.</param>
    public static string? IptablesKey(SpecNode root, string name) => root.FindFilled(name) switch
    {
        null or "nftables" => null,
        var backend => $"'{name}' wants {backend}",
    };
}
