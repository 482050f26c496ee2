namespace Nacelle.Linux;

/// <summary>What is to change of a network device; what is null stays. See netdevice(7) and ip-link(8).</summary>
public sealed record LinkSettings
{
    /// <summary>Whether it carries traffic. The kernel sets this last, so it goes together with any other.</summary>
    public bool? IsUp { get; init; }

    /// <summary>The largest packet, in bytes.</summary>
    public uint? Mtu { get; init; }

    public byte[]? HardwareAddress { get; init; }

    /// <summary>At most 15 bytes.</summary>
    public string? Name { get; init; }

    /// <summary>The number of the bridge whose port it becomes; 0 for none.</summary>
    public int? Master { get; init; }

    public bool? IsPromiscuous { get; init; }

    /// <summary>Whether it takes all packets to groups (IFF_ALLMULTI).</summary>
    public bool? TakesAllGroups { get; init; }

    /// <summary>In packets.</summary>
    public uint? QueueLength { get; init; }

    /// <summary>The network namespace that it goes to: a descriptor of /proc/PID/ns/net or of a bind mount of it, open until the change is applied.</summary>
    public FileDescriptor? Namespace { get; init; }
}
