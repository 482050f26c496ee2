using System.Collections.Concurrent;
using System.Globalization;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>A registry in memory that takes uploads, breaks them as the test wants, and remembers what came.</summary>
/// <remarks>OCI distribution specification 1.1, "Push".</remarks>
sealed class UploadRegistry : IDisposable
{
    readonly FaultyServer server;
    readonly ConcurrentDictionary<string, byte[]> sessions = new(StringComparer.Ordinal);
    int counter;

    /// <param name="breaks">After how many bytes of a body the connection breaks: by the request, and how many such there were.</param>
    /// <param name="spoil">Changes answers.</param>
    public UploadRegistry(Func<ServerRequest, int, int?>? breaks = null, Func<ServerRequest, int, ServerAnswer, ServerAnswer>? spoil = null)
    {
        var counts = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        int Count(ServerRequest request, string what) => counts.AddOrUpdate(what + request.Method, 1, (_, before) => before + 1);
        server = new FaultyServer(request =>
        {
            var answer = Answer(request);
            return spoil is null ? answer : spoil(request, Count(request, "answer"), answer);
        })
        {
            Break = request => breaks?.Invoke(request, Count(request, "break")),
            Broken = Keep,
        };
    }

    public string Host => server.Host;

    public IReadOnlyCollection<ServerRequest> Requests => server.Requests;

    public ConcurrentDictionary<string, byte[]> Blobs { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, byte[]> Manifests { get; } = new(StringComparer.Ordinal);

    /// <summary>What uploads are told to keep to in pieces; 0 for nothing.</summary>
    public int MinimumChunk { get; set; }

    /// <summary>Where uploads are sent instead of here.</summary>
    public string? UploadHost { get; set; }

    /// <summary>Whether Location headers are given without scheme and host.</summary>
    public bool RelativeLocations { get; set; }

    public int SessionsBegun => counter;

    public void Forget() => sessions.Clear();

    public void Dispose() => server.Dispose();

    public ServerAnswer Answer(ServerRequest request)
    {
        var (path, query) = request.Path.Split('?', 2) is [var before, var after] ? (before, after) : (request.Path, "");
        string last = path[(path.LastIndexOf('/') + 1)..];
        switch (request.Method)
        {
            case "GET" when path == "/v2/":
                return ServerAnswer.Text(200, "{}");
            case "HEAD" when path.Contains("/blobs/", StringComparison.Ordinal):
                return new ServerAnswer(Blobs.ContainsKey(last) ? 200 : 404, []);
            case "POST":
                string id = $"session{Interlocked.Increment(ref counter)}";
                sessions[id] = [];
                return Going(id, 202);
            case "GET" when path.Contains("/uploads/", StringComparison.Ordinal):
                return sessions.ContainsKey(last) ? Going(last, 204) : Missing("BLOB_UPLOAD_UNKNOWN");
            case "PATCH":
                if (!sessions.TryGetValue(last, out var have))
                {
                    return Missing("BLOB_UPLOAD_UNKNOWN");
                }

                if (request["Content-Range"]?.Split('-')[0] is { } from && int.Parse(from, CultureInfo.InvariantCulture) != have.Length)
                {
                    return Going(last, 416);
                }

                Keep(request);
                return Going(last, 202);
            case "PUT" when path.Contains("/uploads/", StringComparison.Ordinal):
                if (!sessions.ContainsKey(last))
                {
                    return Missing("BLOB_UPLOAD_UNKNOWN");
                }

                Keep(request);
                sessions.TryRemove(last, out var whole);
                string digest = Uri.UnescapeDataString(query["digest=".Length..]);
                if (ContentStore.DigestOf(whole!).ToString() != digest)
                {
                    return ServerAnswer.Text(400, """{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}""");
                }

                Blobs[digest] = whole!;
                return new ServerAnswer(201, []);
            case "PUT":
                Manifests[last] = request.Content;
                return new ServerAnswer(201, [], ("Docker-Content-Digest", ContentStore.DigestOf(request.Content).ToString()));
            default:
                return Missing("NAME_UNKNOWN");
        }
    }

    void Keep(ServerRequest request)
    {
        string path = request.Path.Split('?')[0], id = path[(path.LastIndexOf('/') + 1)..];
        if (sessions.TryGetValue(id, out var have))
        {
            sessions[id] = [.. have, .. request.Content];
        }
    }

    ServerAnswer Going(string id, int status)
    {
        var headers = new List<(string, string)>
        {
            ("Location", RelativeLocations ? $"/v2/some/image/blobs/uploads/{id}" : $"http://{UploadHost ?? Host}/v2/some/image/blobs/uploads/{id}"),
            ("Range", $"0-{Math.Max(0, sessions[id].Length - 1)}"),
        };
        if (MinimumChunk > 0)
        {
            headers.Add(("OCI-Chunk-Min-Length", $"{MinimumChunk}"));
        }

        return new ServerAnswer(status, [], [.. headers]);
    }

    static ServerAnswer Missing(string code) => ServerAnswer.Text(404, $$"""{"errors":[{"code":"{{code}}","message":"unknown"}]}""");
}
