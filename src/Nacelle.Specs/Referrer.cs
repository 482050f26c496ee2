namespace Nacelle.Specs;

/// <summary>What a manifest or index of any kind says of its place among others: which one it is about, and what it is to that one.</summary>
/// <remarks>OCI image specification 1.1, manifest.md, "subject" and "artifactType"; OCI distribution specification 1.1, "Pushing Manifests with Subject".</remarks>
public sealed record Referrer
{
    public Descriptor? Subject { get; private init; }

    /// <summary>The document's own, or the media type of its config.</summary>
    public string? ArtifactType { get; private init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; private init; }

    /// <summary>All content that a manifest points to, of whatever media types: its config and layers. Empty for an index.</summary>
    public IReadOnlyList<Descriptor> Blobs { get; private init; } = [];

    /// <exception cref="SpecException">Not such a document.</exception>
    public static Referrer Parse(ReadOnlySpan<byte> json) => SpecNode.Parse(json, node => new Referrer
    {
        Subject = node.Find("subject", Read),
        ArtifactType = node.FindFilled("artifactType") ?? node.Find("config")?.FindFilled("mediaType"),
        Annotations = node.Map("annotations"),
        Blobs = [.. node.Find("config", Read) is { } config ? [config] : Array.Empty<Descriptor>(), .. node.List("layers", Read)],
    });

    static Descriptor Read(SpecNode node)
    {
        var descriptor = new Descriptor
        {
            MediaType = node.FindText("mediaType") ?? "",
            Digest = Digest.Parse(node.FindText("digest"), node.Path.Length == 0 ? "digest" : $"{node.Path}.digest"),
            Size = node.Need("size").Long(),
            Annotations = node.Map("annotations"),
        };
        descriptor.Validate(node.Path);
        return descriptor;
    }
}
