using System.Net;

namespace Nacelle.Network;

/// <summary>An address that belongs to an attachment.</summary>
/// <param name="Interface">Empty in leases of host-local before 0.7, which are of all interfaces of the container.</param>
sealed record Lease(IPAddress Address, string Container, string Interface)
{
    const string Separator = "\r\n";

    public string Content => Container + Separator + Interface;

    /// <returns>Null for a file that is no lease, or that its writer did not finish.</returns>
    public static Lease? Parse(string name, string content)
    {
        var parts = content.Trim().Split(Separator);
        return parts.Length <= 2 && parts[0].Length > 0 && IPAddress.TryParse(name, out var address) ? new Lease(address, parts[0], parts.Length == 2 ? parts[1] : "") : null;
    }

    public bool BelongsTo(string container, string device) => Container == container && (Interface == device || Interface.Length == 0);
}
