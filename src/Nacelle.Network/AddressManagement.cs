using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Leaves the choice of addresses to the plug-in that <c>ipam.type</c> names. See the CNI specification 1.1.0, section 4.</summary>
static class AddressManagement
{
    /// <summary>Null where the configuration has none: the pod's device gets no address.</summary>
    public static NetworkPlugin? Find(PluginCall call) =>
        SpecNode.Of(call.Configuration).Find("ipam")?.FindFilled("type") is { } type ? call.Plugins.Find(type, call.Configuration) : null;

    public static NetworkPlugin Need(PluginCall call) => Find(call) ?? throw new SpecException("ipam.type", "is missing");

    /// <exception cref="NetworkException">It gave no address.</exception>
    public static NetworkResult Obtain(this NetworkPlugin addresses, PluginCall call, Undo undo)
    {
        var result = addresses.Add(call);
        undo.Add(() => addresses.Delete(call));
        return result.Ips.Count > 0 ? result : throw new NetworkException(NetworkException.InvalidConfiguration, $"{addresses.Type} gave no address");
    }
}
