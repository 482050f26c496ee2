using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What was said of a pod when it was run and its apps' files show; of a mutable pod it is kept for apps that come later: <c>runtime-config</c> in its directory.</summary>
/// <param name="HostNetwork">It shares the host's.</param>
/// <param name="HasNetworks">It has networks of its own.</param>
sealed record PodSettings(string Hostname, bool HostNetwork, bool HasNetworks, NameResolution Names)
{
    /// <summary>What a network of a pod that runs says resolv.conf is to hold; null where none says anything.</summary>
    public string? Resolver { get; private init; }

    const string FileName = "runtime-config";

    public void Write(Pod pod) => Files.WriteAll(pod.Directory, FileName, SpecWriter.Write(this, static (json, settings) =>
    {
        json.Text("hostname", settings.Hostname);
        json.Flag("hostNetwork", settings.HostNetwork);
        json.Flag("hasNetworks", settings.HasNetworks);
        json.Texts("resolver", settings.Names.Resolver ?? []);
        json.Flag("resolverOfHost", settings.Names.ResolverOfHost);
        json.Flag("resolverOfImage", settings.Names.ResolverOfImage);
        json.Texts("hosts", settings.Names.Hosts);
        json.Flag("hostsOfHost", settings.Names.HostsOfHost);
    }));

    public static PodSettings Read(Pod pod) => Parse(pod) with
    {
        Resolver = PodNetworks.Read(pod.Directory).Select(network => network.Dns).FirstOrDefault(dns => dns.Nameservers.Count > 0)?.ToResolverFile(),
    };

    static PodSettings Parse(Pod pod) => SpecNode.Parse(Files.ReadAll(pod.Directory, FileName), $"{pod.Path}/{FileName}", static node => new PodSettings(
        node.Need("hostname").Text(), node.FindFlag("hostNetwork"), node.FindFlag("hasNetworks"), new NameResolution
        {
            Resolver = node.Texts("resolver") is { Count: > 0 } lines ? lines : null,
            ResolverOfHost = node.FindFlag("resolverOfHost"),
            ResolverOfImage = node.FindFlag("resolverOfImage"),
            Hosts = node.Texts("hosts"),
            HostsOfHost = node.FindFlag("hostsOfHost"),
        }));
}
