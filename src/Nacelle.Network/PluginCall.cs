using System.Text.Json;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>What a plug-in is told. See the CNI specification 1.1.0, section 2, "Parameters".</summary>
/// <param name="ContainerId">A pod's UUID; empty for GC and STATUS.</param>
/// <param name="InterfaceName">Of the device in the namespace, as in <c>eth0</c>; empty for GC and STATUS.</param>
/// <param name="Configuration">The plug-in's own object of the configuration, with <c>name</c>, <c>cniVersion</c> and <c>runtimeConfig</c> as a program would get it on its standard input.</param>
public sealed record PluginCall(string ContainerId, string InterfaceName, JsonElement Configuration)
{
    /// <summary>Of the protocol: what <paramref name="Configuration"/> says as <c>cniVersion</c>.</summary>
    public CniVersion Version { get; init; } = CniVersion.Newest;

    /// <summary>The pod's network namespace; null where it is gone, or for GC and STATUS. Stays the caller's.</summary>
    public FileDescriptor? Namespace { get; init; }

    /// <summary>A path by which other processes reach it, as in <c>/proc/4711/ns/net</c>: what results name as the sandbox; empty where it is gone.</summary>
    public string NamespacePath { get; init; } = "";

    /// <summary>CNI_ARGS, in their order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Arguments { get; init; } = [];

    /// <summary>The plug-ins that this one may leave part of its work to.</summary>
    public NetworkPlugins Plugins { get; init; } = new([]);

    /// <summary>Where programs of plug-ins are looked for: CNI_PATH.</summary>
    public IReadOnlyList<string> Path => Plugins.Path;

    /// <summary>What the plug-ins before this one have said, or, but for ADD, the whole chain at ADD; null for nothing.</summary>
    public NetworkResult? PreviousResult { get; init; }
}
