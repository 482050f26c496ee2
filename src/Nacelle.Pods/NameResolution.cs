namespace Nacelle.Pods;

/// <summary>What a pod's apps shall know of names: their resolv.conf and hosts. What is not said is the image's, or the host's where the pod shares its network.</summary>
public sealed record NameResolution
{
    /// <summary>The lines of resolv.conf; see resolv.conf(5). Null where nothing is said.</summary>
    public IReadOnlyList<string>? Resolver { get; init; }

    /// <summary>resolv.conf is the host's.</summary>
    public bool ResolverOfHost { get; init; }

    /// <summary>resolv.conf stays as the image has it, whatever the network.</summary>
    public bool ResolverOfImage { get; init; }

    /// <summary>Lines for hosts, behind those for the pod itself; see hosts(5).</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>hosts is the host's.</summary>
    public bool HostsOfHost { get; init; }

    /// <summary>As a stage1 is told who has written the files: <c>--dns-conf-mode</c> of the contract.</summary>
    public string Modes => $"resolv={(ResolverOfHost ? "host" : Resolver is not null ? "stage0" : ResolverOfImage ? "none" : "default")},hosts={(HostsOfHost ? "host" : Hosts.Count > 0 ? "stage0" : "default")}";
}
