namespace Nacelle.Specs;

/// <summary>What there is to say of a container: what <c>state</c> prints, and hooks get on their standard input.</summary>
/// <remarks>OCI runtime specification 1.3.0, runtime.md, "State".</remarks>
public sealed record RuntimeState
{
    /// <summary>The version of the specification that this document follows.</summary>
    public string OciVersion { get; init; } = RuntimeConfig.CurrentVersion;

    public required string Id { get; init; }

    /// <summary>One of <see cref="RuntimeStatus"/>.</summary>
    public required string Status { get; init; }

    /// <summary>The container's first process, as the reader sees it; null where there is none.</summary>
    public int? Pid { get; init; }

    /// <summary>The absolute path of the bundle's directory.</summary>
    public required string Bundle { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <param name="source">Where the text comes from, for messages.</param>
    /// <exception cref="SpecException">Not JSON, or not of the specification's shape; says where.</exception>
    public static RuntimeState Parse(ReadOnlySpan<byte> json, string source) => SpecNode.Parse(json, source, Read);

    /// <param name="indented">For people.</param>
    public byte[] ToJson(bool indented = false) => SpecWriter.Write(this, Write, indented);

    static RuntimeState Read(SpecNode node) => new()
    {
        OciVersion = node.Need("ociVersion").Text(),
        Id = node.Need("id").Text(),
        Status = node.Need("status").Text(),
        Pid = node.Find("pid")?.Int(),
        Bundle = node.Need("bundle").Text(),
        Annotations = node.Map("annotations"),
    };

    internal static void Write(SpecWriter json, RuntimeState state)
    {
        json.Text("ociVersion", state.OciVersion);
        json.Text("id", state.Id);
        json.Text("status", state.Status);
        json.Number("pid", state.Pid);
        json.Text("bundle", state.Bundle);
        json.Map("annotations", state.Annotations);
    }
}

/// <summary>Where in its life a container is.</summary>
public static class RuntimeStatus
{
    public const string Creating = "creating";

    /// <summary>Its process waits to execute the program.</summary>
    public const string Created = "created";

    public const string Running = "running";

    /// <summary>Its process has ended.</summary>
    public const string Stopped = "stopped";

    /// <summary>Its processes are frozen. Not in the specification, but other runtimes call it so.</summary>
    public const string Paused = "paused";
}
