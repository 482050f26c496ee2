using System.Collections.Concurrent;
using System.Globalization;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>A registry that serves a test image under any repository and tag, and spoils what the test wants spoiled.</summary>
sealed class FaultyRegistry : IDisposable
{
    readonly TestImage image;
    readonly FaultyServer server;
    readonly ConcurrentDictionary<string, int> counts = new(StringComparer.Ordinal);

    public FaultyRegistry(TestImage image, Func<ServerRequest, int, ServerAnswer, ServerAnswer>? spoil = null)
    {
        this.image = image;
        Root = image.Manifest;
        server = new FaultyServer(request =>
        {
            int count = counts.AddOrUpdate(request.Path, 1, (_, before) => before + 1);
            var answer = Answer(request);
            return spoil is null ? answer : spoil(request, count, answer);
        });
    }

    /// <summary>What a tag stands for.</summary>
    public Descriptor Root { get; set; }

    public string Host => server.Host;

    public ImageName Name => ImageName.Parse($"docker://{Host}/some/image:tag");

    public IReadOnlyCollection<ServerRequest> Requests => server.Requests;

    public static bool IsBlob(ServerRequest request, Descriptor blob) => request.Path.EndsWith($"/blobs/{blob.Digest}", StringComparison.Ordinal);

    public void Dispose() => server.Dispose();

    ServerAnswer Answer(ServerRequest request)
    {
        if (request.Path == "/v2/")
        {
            return ServerAnswer.Text(200, "{}");
        }

        string last = request.Path[(request.Path.LastIndexOf('/') + 1)..];
        bool manifest = request.Path.Contains("/manifests/", StringComparison.Ordinal);
        string digest = manifest && !last.StartsWith("sha256:", StringComparison.Ordinal) ? Root.Digest.ToString() : last;
        if (!image.Blobs.TryGetValue(digest, out var content) || last == "missing")
        {
            return ServerAnswer.Text(404, """{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}""");
        }

        if (manifest)
        {
            string mediaType = digest == Root.Digest.ToString() ? Root.MediaType : MediaTypes.OciManifest;
            return new ServerAnswer(200, content, ("Content-Type", mediaType), ("Docker-Content-Digest", digest));
        }

        if (request["Range"] is { } range)
        {
            int from = int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture);
            return new ServerAnswer(206, content[from..], ("Content-Range", $"bytes {from}-{content.Length - 1}/{content.Length}"), ("ETag", $"\"{digest}\""));
        }

        return new ServerAnswer(200, content, ("ETag", $"\"{digest}\""));
    }
}
