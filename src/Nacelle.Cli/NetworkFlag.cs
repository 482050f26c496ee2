using Nacelle.CommandLine;
using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>--net</c>, and where the networks of this machine are described.</summary>
static class NetworkFlag
{
    public static readonly Option Flag = new("net", "NETWORKS", "the pod's networks: names with arguments, as in n1:IP=10.1.0.7,n2; all; none for its own loopback alone; host (default)");

    /// <summary>The subdirectory of a configuration's directory; programs of plug-ins may lie there too, as with rkt.</summary>
    const string Directory = "net.d";

    /// <summary>What is said of networks; a network that is not there, or broken, is found here and not when the pod starts.</summary>
    /// <exception cref="UserException">It is no selection, or there is no such network.</exception>
    public static PodRunOptions Read(Invocation invocation)
    {
        NetworkSelection selection;
        try
        {
            selection = NetworkSelection.Parse(invocation.Values(Flag));
        }
        catch (SpecException problem)
        {
            throw new UserException($"--net={string.Join(',', invocation.Values(Flag))}: {problem.Message}");
        }

        if (!UserNamespaces.IsInitial && invocation.Value(Flag) is null && !DefaultNetworks.UsersHaveOne)
        {
            PodPreparing.Warn("the pod has no network: without root that takes pasta (Debian's package passt)");
            selection = NetworkSelection.None;
        }

        return new PodRunOptions
        {
            Network = invocation.Value(Flag) is null && UserNamespaces.IsInitial ? null : selection,
            Attachments = selection.IsHost || selection.IsNone ? [] : Choose(selection, Load(invocation)),
            PluginPath = PluginPath(invocation),
            LocalConfiguration = GlobalFlags.LocalConfigDirectory(invocation),
        };
    }

    /// <summary>All networks of this machine.</summary>
    public static NetworkConfigurations Load(Invocation invocation) =>
        NetworkConfigurations.Load([.. GlobalFlags.ConfigDirectories(invocation).Select(directory => $"{directory}/{Directory}")], DefaultNetworks.All);

    /// <summary>The user's own directories of plug-ins, the strongest first.</summary>
    public static IReadOnlyList<string> PluginPath(Invocation invocation) =>
        [.. (Environment.GetEnvironmentVariable("CNI_PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries), $"{GlobalFlags.LocalConfigDirectory(invocation)}/{Directory}"];

    static IReadOnlyList<NetworkAttachment> Choose(NetworkSelection selection, NetworkConfigurations configurations)
    {
        try
        {
            return selection.Choose(configurations);
        }
        catch (NetworkException problem)
        {
            throw new UserException($"--net={selection.Text}: {problem.Message}");
        }
    }
}
