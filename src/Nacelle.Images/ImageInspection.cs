using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>What is told of an image without fetching its layers, in the words of <c>skopeo inspect</c>.</summary>
/// <remarks>skopeo-inspect(1).</remarks>
public sealed record ImageInspection
{
    /// <summary>Without tag.</summary>
    public required string Name { get; init; }

    /// <summary>What the name stands for: an index or a manifest.</summary>
    public required SourceDocument Document { get; init; }

    /// <summary>The manifest for the platform.</summary>
    public required SourceDocument Manifest { get; init; }

    public required SourceDocument Config { get; init; }

    /// <summary>The tags of the image's repository; empty where they are not known.</summary>
    public IReadOnlyList<string> RepoTags { get; init; } = [];

    /// <param name="withTags">Whether the registry is asked for all tags of the repository.</param>
    /// <exception cref="ImageException">There is no such image.</exception>
    /// <exception cref="SpecException">A document is not valid.</exception>
    public static async Task<ImageInspection> ReadAsync(ImageSource source, Platform platform, bool withTags, CancellationToken cancellation)
    {
        var document = await source.ResolveAsync(cancellation);
        var manifest = await source.ChooseAsync(document, platform, cancellation);
        IReadOnlyList<string> tags = [];
        if (withTags && source is RegistrySource registry)
        {
            try
            {
                tags = await registry.Repository.ListTagsAsync(0, cancellation);
            }
            catch (ImageException)
            {
                // Not every registry lists tags, and not to everybody.
            }
        }

        try
        {
            var config = await source.ReadAsync(ImageManifest.Parse(manifest.Content).Config, cancellation);
            ImageConfig.Parse(config.Content);
            return new ImageInspection
            {
                Name = source.Name is ImageReference reference ? $"{reference.Host}/{reference.Repository}" : source.Name is ImageFile ? "" : source.Name.ToString(),
                Document = document,
                Manifest = manifest,
                Config = config,
                RepoTags = tags,
            };
        }
        catch (SpecException failure)
        {
            throw failure.In($"{source.Name}");
        }
    }

    public byte[] ToJson(bool indented) => SpecWriter.Write(this, Write, indented);

    static void Write(SpecWriter writer, ImageInspection image)
    {
        var manifest = ImageManifest.Parse(image.Manifest.Content);
        var config = ImageConfig.Parse(image.Config.Content);
        writer.Text("Name", image.Name);
        writer.Text("Digest", image.Document.Descriptor.Digest.ToString());
        writer.Texts("RepoTags", image.RepoTags, always: true);
        writer.Text("Created", config.Created);
        writer.Text("DockerVersion", SpecNode.Parse(image.Config.Content, node => node.FindText("docker_version")) ?? "");
        writer.Map("Labels", config.Config.Labels.Count == 0 ? null : config.Config.Labels);
        writer.Text("Architecture", config.Architecture);
        writer.Text("Os", config.Os);
        writer.Texts("Layers", [.. manifest.Layers.Select(layer => layer.Digest.ToString())], always: true);
        writer.List("LayersData", manifest.Layers, WriteLayer, always: true);
        writer.Texts("Env", config.Config.Env, always: true);
    }

    static void WriteLayer(SpecWriter writer, Descriptor layer)
    {
        writer.Text("MIMEType", layer.MediaType);
        writer.Text("Digest", layer.Digest.ToString());
        writer.Number("Size", layer.Size);
        writer.Map("Annotations", layer.Annotations);
    }
}
