namespace Nacelle.Specs;

/// <summary>A bundle's config.json: how one container is made from its rootfs.</summary>
/// <remarks>
/// OCI runtime specification 1.3.0, config.md and config-linux.md. Sections and members have the specification's names; what it leaves optional is null,
/// or an empty list, where the document is silent. Members for other systems than Linux are passed over.
/// </remarks>
public sealed partial record RuntimeConfig
{
    public const string CurrentVersion = "1.3.0";

    /// <summary>The version of the specification that the bundle was written for.</summary>
    public required string OciVersion { get; init; }

    /// <summary>Null where there is nothing to start: such a container can be created only.</summary>
    public RuntimeProcess? Process { get; init; }

    public RuntimeRoot? Root { get; init; }

    public string? Hostname { get; init; }

    /// <summary>The NIS domain name. See setdomainname(2).</summary>
    public string? Domainname { get; init; }

    /// <summary>In the order in which they are mounted.</summary>
    public IReadOnlyList<RuntimeMount> Mounts { get; init; } = [];

    public RuntimeHooks? Hooks { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public RuntimeLinux? Linux { get; init; }

    /// <param name="source">Where the text comes from, for messages.</param>
    /// <exception cref="SpecException">Not JSON, or not of the specification's shape; says where.</exception>
    public static RuntimeConfig Parse(ReadOnlySpan<byte> json, string source) =>
        SpecNode.Parse(json, source, RuntimeConfigReader.Read);

    /// <summary>Refuses what no container can be made of, before anything is made; without a word it may be made, as far as the document alone can tell.</summary>
    /// <remarks>The names of capabilities and resource limits are not looked up here.</remarks>
    /// <param name="source">Where the text came from, for messages.</param>
    /// <exception cref="SpecException">The first rule that is broken, with the path of the member that breaks it.</exception>
    public void Check(string source) => RuntimeConfigCheck.In(source, this, RuntimeConfigCheck.Config);

    /// <param name="indented">For people.</param>
    public byte[] ToJson(bool indented = false) => SpecWriter.Write(this, RuntimeConfigWriter.Write, indented);
}

/// <param name="Path">The root file system's directory; a relative path starts from the bundle.</param>
public sealed record RuntimeRoot(string Path, bool Readonly = false);
