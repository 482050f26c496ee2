using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>The networks that a pod is to be attached to, with all that this takes: written down before it is done, so that whatever happens then can be undone.</summary>
public sealed record NetworkPlan
{
    internal const string DirectoryName = "network";
    const string FileName = "plan";

    /// <summary>A pod's UUID.</summary>
    public required string ContainerId { get; init; }

    /// <summary>In their order.</summary>
    public required IReadOnlyList<NetworkAttachment> Attachments { get; init; }

    /// <summary>See <see cref="NetworkPlugins.UserPath"/>.</summary>
    public IReadOnlyList<string> PluginPath { get; init; } = [];

    /// <summary>A file that is locked while pods are attached and detached, so that nothing is collected meanwhile; null for none.</summary>
    public string? Lock { get; init; }

    /// <param name="pod">The pod's directory.</param>
    public void Write(FileDescriptor pod)
    {
        Files.EnsureDirectory(pod, DirectoryName, 0x1C0);
        using var directory = Files.Open(pod, DirectoryName, OpenFlags.Path | OpenFlags.Directory);
        PodFiles.Write(directory, FileName, SpecWriter.Write(this, Write));
    }

    /// <summary>What <see cref="Write(FileDescriptor)"/> wrote; null where there is none (any more).</summary>
    /// <param name="pod">The pod's directory.</param>
    /// <exception cref="SpecException">It is broken.</exception>
    public static NetworkPlan? TryRead(FileDescriptor pod) =>
        PodFiles.TryRead(pod, $"{DirectoryName}/{FileName}") is { } json ? SpecNode.Parse(json, $"{DirectoryName}/{FileName}", Read) : null;

    /// <summary>Removes it, once nothing is left to undo.</summary>
    internal static void Remove(FileDescriptor pod)
    {
        Files.TryUnlink(pod, $"{DirectoryName}/{FileName}");
        Files.TryUnlink(pod, DirectoryName, directory: true);
    }

    static NetworkPlan Read(SpecNode node) => new()
    {
        ContainerId = node.Need("containerId").Text(),
        PluginPath = node.Texts("pluginPath"),
        Lock = node.FindFilled("lock"),
        Attachments = node.List("attachments", NetworkAttachment.Read),
    };

    static void Write(SpecWriter json, NetworkPlan plan)
    {
        json.Text("containerId", plan.ContainerId);
        json.Texts("pluginPath", plan.PluginPath);
        json.Text("lock", plan.Lock);
        json.List("attachments", plan.Attachments, NetworkAttachment.Write, always: true);
    }
}

/// <summary>One network of a pod's.</summary>
/// <param name="InterfaceName">Of the device in the pod, as in <c>eth0</c>.</param>
public sealed record NetworkAttachment(NetworkConfiguration Network, string InterfaceName)
{
    /// <summary>The file that the configuration is from; for people.</summary>
    public string Source { get; init; } = "";

    /// <summary>CNI_ARGS: what all plug-ins of the network are told, whether they ask for it or not.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Arguments { get; init; } = [];

    public CapabilityArguments CapabilityArguments { get; init; } = new();

    internal static NetworkAttachment Read(SpecNode node) => new(NetworkConfiguration.Read(node.Need("network")), ReadInterfaceName(node))
    {
        Source = node.FindText("source") ?? "",
        Arguments = node.List("cniArgs", ReadPair),
        CapabilityArguments = node.Find("capabilityArgs", CapabilityArguments.Read) ?? new(),
    };

    internal static void Write(SpecWriter json, NetworkAttachment attachment)
    {
        json.Text("ifName", attachment.InterfaceName);
        json.Text("source", attachment.Source);
        WriteArguments(json, attachment.Arguments, attachment.CapabilityArguments);
        json.Object("network", attachment.Network, NetworkConfiguration.Write);
    }

    /// <summary>As libcni has them in its cache.</summary>
    internal static void WriteArguments(SpecWriter json, IReadOnlyList<KeyValuePair<string, string>> arguments, CapabilityArguments capabilities)
    {
        json.Pairs("cniArgs", arguments);
        if (capabilities.Names.Count > 0)
        {
            json.Group("capabilityArgs", inner => capabilities.Write(inner, name => true));
        }
    }

    internal static string ReadInterfaceName(SpecNode node) => node.Need("ifName") is var name && NetworkName.IsDevice(name.Text()) ? name.Text() : throw new SpecException(name.Path, $"'{name.Text()}' is not a device's name");

    internal static KeyValuePair<string, string> ReadPair(SpecNode node) => node.Items(one => one.Text()) is [var key, var value] ? new(key, value) : throw new SpecException(node.Path, "is not a name with a value");
}
