using Nacelle.CommandLine;
using Nacelle.Network;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>network list</c>: the networks that pods can have.</summary>
static class NetworkListCommand
{
    static readonly Option NoLegend = new("no-legend", null, "leave the table's head out");

    public static readonly Command Definition = new("network list", "[FLAGS]", "list networks", [NoLegend, Formats.Option], Run)
    {
        Description = "In the order in which pods are attached to them. A file that is no network's configuration is told of, and does not count.",
    };

    static int Run(Invocation invocation)
    {
        var configurations = NetworkFlag.Load(invocation);
        foreach (var broken in configurations.Broken)
        {
            Output.Error(broken.Problem);
        }

        var format = Formats.Of(invocation);
        var networks = configurations.Networks.Select(network => new NetworkView(network, PodNetworkCollection.Attached(network.Network.Name).Select(one => one.ContainerId).Distinct().ToList())).ToList();
        if (format != Format.Table)
        {
            Output.Line(Formats.Write([.. networks.Select(network => network.ToJson())], CliJson.For(format).NetworkConfigurationJsonArray));
            return 0;
        }

        List<string[]> rows = invocation.Is(NoLegend) ? [] : [["NAME", "PLUGINS", "PODS", "FILE"]];
        rows.AddRange(networks.Select(network => (string[])[network.Name, string.Join('+', network.Plugins), $"{network.Pods.Count}", network.Source]));
        Output.Table(rows);
        return 0;
    }

    /// <param name="Pods">The UUIDs of those that are attached.</param>
    sealed record NetworkView(LoadedNetwork Loaded, IReadOnlyList<string> Pods)
    {
        public string Name => Loaded.Network.Name;

        public IReadOnlyList<string> Plugins => [.. Loaded.Network.Plugins.Select(plugin => plugin.Type)];

        /// <summary>The file, or that there is none.</summary>
        public string Source => Loaded.Source.StartsWith('/') ? Loaded.Source : "(built in)";

        public NetworkConfigurationJson ToJson() => new(Name, Loaded.Source, Plugins, Pods);
    }
}
