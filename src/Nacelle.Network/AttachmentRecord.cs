using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>What became of an attachment: libcni's cache file, kept in the pod's directory as <c>network/INTERFACE</c>.</summary>
sealed record AttachmentRecord
{
    const string KindV1 = "cniCacheV1";

    public required string ContainerId { get; init; }

    public required NetworkConfiguration Network { get; init; }

    public required string InterfaceName { get; init; }

    public required string NamespacePath { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Arguments { get; init; } = [];

    public CapabilityArguments CapabilityArguments { get; init; } = new();

    /// <summary>The version in which the plug-ins were spoken to.</summary>
    public required CniVersion Version { get; init; }

    public required NetworkResult Result { get; init; }

    /// <param name="pod">The pod's directory.</param>
    public void Write(FileDescriptor pod)
    {
        using var directory = Files.Open(pod, NetworkPlan.DirectoryName, OpenFlags.Path | OpenFlags.Directory);
        PodFiles.Write(directory, InterfaceName, SpecWriter.Write(this, Write));
    }

    /// <returns>Null where there is none.</returns>
    /// <exception cref="SpecException">It is broken.</exception>
    public static AttachmentRecord? TryRead(FileDescriptor pod, string interfaceName)
    {
        string path = $"{NetworkPlan.DirectoryName}/{interfaceName}";
        return PodFiles.TryRead(pod, path) is { } json ? SpecNode.Parse(json, path, Read) : null;
    }

    public static void Remove(FileDescriptor pod, string interfaceName) => Files.TryUnlink(pod, $"{NetworkPlan.DirectoryName}/{interfaceName}");

    static AttachmentRecord Read(SpecNode node)
    {
        var result = node.Need("result");
        var version = result.FindText("cniVersion") is { } said && CniVersion.TryParse(said) is { IsKnown: true } known ? known : CniVersion.Unsaid;
        return node.Need("kind").Text() != KindV1 ? throw new SpecException("kind", $"is not '{KindV1}'") : new AttachmentRecord
        {
            ContainerId = node.Need("containerId").Text(),
            Network = NetworkConfiguration.Parse(node.Need("config").Base64(), "config"),
            InterfaceName = NetworkAttachment.ReadInterfaceName(node),
            NamespacePath = node.FindText("netns") ?? "",
            Arguments = node.List("cniArgs", NetworkAttachment.ReadPair),
            CapabilityArguments = node.Find("capabilityArgs", CapabilityArguments.Read) ?? new(),
            Version = version,
            Result = NetworkResult.Read(result, version),
        };
    }

    static void Write(SpecWriter json, AttachmentRecord record)
    {
        json.Text("kind", KindV1);
        json.Text("containerId", record.ContainerId);
        json.Base64("config", record.Network.ToJson());
        json.Text("ifName", record.InterfaceName);
        json.Text("networkName", record.Network.Name);
        json.Text("netns", record.NamespacePath);
        NetworkAttachment.WriteArguments(json, record.Arguments, record.CapabilityArguments);
        json.Group("result", inner => NetworkResult.Write(inner, record.Result, record.Version));
    }
}
