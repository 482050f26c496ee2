using System.Net;

namespace Nacelle.Specs;

/// <summary>What a network plug-in has set up, in the form of the newest version. See the CNI specification 1.1.0, section 5, "Result types".</summary>
public sealed partial record NetworkResult
{
    /// <summary>Devices that were made, on both sides.</summary>
    public IReadOnlyList<NetworkInterface> Interfaces { get; init; } = [];

    public IReadOnlyList<NetworkIp> Ips { get; init; } = [];

    public IReadOnlyList<NetworkRoute> Routes { get; init; } = [];

    public NetworkDns Dns { get; init; } = new();
}

/// <param name="Name">At most 15 bytes.</param>
public sealed partial record NetworkInterface(string Name)
{
    /// <summary>The hardware address, as in <c>0a:58:0a:01:00:05</c>; null where there is none.</summary>
    public string? Mac { get; init; }

    /// <summary>In bytes; null where it is not said.</summary>
    public uint? Mtu { get; init; }

    /// <summary>The path of the network namespace that it is in; null for one of the host's.</summary>
    public string? Sandbox { get; init; }

    /// <summary>The socket of a device in user space (vhost-user).</summary>
    public string? SocketPath { get; init; }

    /// <summary>The identifier of a PCI device.</summary>
    public string? PciId { get; init; }
}

/// <param name="Address">With the prefix of its network.</param>
public sealed partial record NetworkIp(Cidr Address)
{
    public IPAddress? Gateway { get; init; }

    /// <summary>Which of <see cref="NetworkResult.Interfaces"/> has the address; null where none is said.</summary>
    public int? Interface { get; init; }
}

/// <param name="Destination">As in <c>0.0.0.0/0</c>.</param>
public sealed partial record NetworkRoute(Cidr Destination)
{
    /// <summary>Null: the gateway of the address of that family.</summary>
    public IPAddress? Gateway { get; init; }

    public uint? Mtu { get; init; }

    public uint? AdvertisedSegment { get; init; }

    public uint? Priority { get; init; }

    public uint? Table { get; init; }

    public uint? Scope { get; init; }
}

/// <summary>What /etc/resolv.conf is to hold; see resolv.conf(5).</summary>
public sealed partial record NetworkDns
{
    public IReadOnlyList<string> Nameservers { get; init; } = [];

    public string? Domain { get; init; }

    public IReadOnlyList<string> Search { get; init; } = [];

    public IReadOnlyList<string> Options { get; init; } = [];
}
