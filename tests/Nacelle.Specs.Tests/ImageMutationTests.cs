using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;

namespace Nacelle.Specs.Tests;

/// <summary>Documents of images and pods, changed in a few bytes or members: taken, or refused by one line.</summary>
public sealed class ImageMutationTests
{
    const string Digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    static readonly Dictionary<string, (string Json, Action<byte[]> Read)> Documents = new()
    {
        ["image manifest"] = (
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/x","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"DIGEST","size":7},
             "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"DIGEST","size":9,"urls":["https://a.example"],"annotations":{"a":"b"},"data":"e30="}],
             "subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"DIGEST","size":5},"annotations":{"org.opencontainers.image.created":"2024-01-01T00:00:00Z"}}
            """,
            json =>
            {
                ImageManifest.ParseArtifact(json);
                Referrer.Parse(json);
                var manifest = ImageManifest.Parse(json);
                ImageManifest.Parse(manifest.ToJson());
            }),
        ["image index"] = (
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"DIGEST","size":3,
             "platform":{"os":"linux","architecture":"arm64","variant":"v8","os.version":"1","os.features":["x"]},"annotations":{"org.opencontainers.image.ref.name":"t"}}],"annotations":{"a":"b"}}
            """,
            json => ImageIndex.Parse(ImageIndex.Parse(json).ToJson())),
        ["image config"] = (
            """
            {"created":"2024-01-01T00:00:00.123Z","author":"me","os":"linux","architecture":"amd64","config":{"User":"1:2","ExposedPorts":{"80/tcp":{}},"Env":["A=b"],"Entrypoint":["/a"],"Cmd":["b"],
             "Volumes":{"/data":{}},"WorkingDir":"/w","Labels":{"c":"d"},"StopSignal":"SIGTERM","Healthcheck":{"Test":["CMD","x"],"Interval":1000000000},"OnBuild":["RUN x"],"Shell":["/bin/sh"]},
             "rootfs":{"type":"layers","diff_ids":["DIGEST"]},"history":[{"created":"2024-01-01T00:00:00Z","created_by":"x","empty_layer":true,"comment":"c","author":"a"}]}
            """,
            json => ImageConfig.Parse(ImageConfig.Parse(json).ToJson())),
        ["image layout"] = ("""{"imageLayoutVersion":"1.0.0"}""", json => ImageLayoutFile.Parse(json)),
        ["list of docker save"] = (
            """[{"Config":"a.json","RepoTags":["a/b:c",null],"Layers":["x/layer.tar"],"Parent":"y","LayerSources":{"DIGEST":{"size":1}}}]""", json => DockerArchiveEntry.ParseList(json)),
        ["appc image manifest"] = (
            """
            {"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/app","labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],
             "app":{"exec":["/a","b"],"user":"0","group":"0","supplementaryGIDs":[7],"workingDirectory":"/","environment":[{"name":"A","value":"b"}],
             "eventHandlers":[{"name":"pre-start","exec":["/x"]}],"isolators":[{"name":"resource/memory","value":{"limit":"1G"}},{"name":"os/linux/capabilities-retain-set","value":{"set":["CAP_KILL"]}}],
             "mountPoints":[{"name":"data","path":"/data","readOnly":true}],"ports":[{"name":"http","protocol":"tcp","port":80,"count":2,"socketActivated":true}]},
             "dependencies":[{"imageName":"example.com/base","imageID":"SHA512","labels":[{"name":"version","value":"1"}],"size":22}],"pathWhitelist":["/etc/ssl"],"annotations":[{"name":"created","value":"2024-01-01T00:00:00Z"}]}
            """,
            json => AppImageManifest.Parse(json, "manifest")),
        ["appc pod manifest"] = (
            """
            {"acKind":"PodManifest","acVersion":"0.8.11","apps":[{"name":"redis","image":{"name":"example.com/redis","id":"SHA512","labels":[{"name":"os","value":"linux"}]},
             "app":{"exec":["/a"],"user":"0","group":"0"},"readOnlyRootFS":true,"mounts":[{"volume":"work","path":"/w"}],"annotations":[{"name":"a","value":"b"}]}],
             "volumes":[{"name":"work","kind":"empty","mode":"0755","uid":0,"gid":0},{"name":"host","kind":"host","source":"/opt","readOnly":true,"recursive":false}],
             "isolators":[{"name":"resource/cpu","value":{"limit":"20"}}],"annotations":[{"name":"c","value":"d"}],"ports":[{"name":"p","hostPort":80,"hostIP":"127.0.0.1"}]}
            """,
            json => PodManifest.Parse(json, "manifest")),
    };

    static readonly string[] Strangers =
        ["null", "true", "0", "-1", "1.5", "1e400", "18446744073709551616", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "\"/\"", "\"..\"", "\"a\\nb\"", "[]", "[null]", "[[]]", "{}", """{"":""}""", """{"a":null}"""];

    public static TheoryData<string> Names => [.. Documents.Keys];

    static string Text(string name) => Documents[name].Json.Replace("DIGEST", Digest, StringComparison.Ordinal).Replace("SHA512", "sha512-" + new string('b', 128), StringComparison.Ordinal);

    static void OneLine(string name, byte[] json)
    {
        try
        {
            Documents[name].Read(json);
        }
        catch (SpecException refused)
        {
            Assert.DoesNotContain(refused.Message, char.IsControl);
            Assert.InRange(refused.Message.Length, 1, 2000);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_document_is_taken_as_it_is(string name) => Documents[name].Read(Encoding.UTF8.GetBytes(Text(name)));

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_byte_may_be_any_other(string name)
    {
        var text = Encoding.UTF8.GetBytes(Text(name));
        var watch = Stopwatch.StartNew();
        Gen.Select(Gen.Int[0, text.Length - 1], Gen.Byte, Gen.Int[0, 4]).Array[1, 4].Sample(
            changes =>
            {
                var bytes = text.ToList();
                foreach (var (place, value, kind) in changes)
                {
                    int at = Math.Min(place, bytes.Count - 1);
                    switch (kind)
                    {
                        case 0 when bytes.Count > 1: bytes.RemoveAt(at); break;
                        case 1: bytes.Insert(at, value); break;
                        case 2: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(value, bytes.Count - at))); break;
                        case 3 when value < 16 && at > 0: bytes.RemoveRange(at, bytes.Count - at); break;
                        default: bytes[at] = value; break;
                    }
                }

                OneLine(name, [.. bytes]);
            },
            iter: 5000);
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1), $"took {watch.Elapsed}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_member_may_be_anything_or_missing(string name)
    {
        foreach (var place in Places(JsonNode.Parse(Text(name))!, []))
        {
            foreach (var stranger in Strangers)
            {
                OneLine(name, Changed(Text(name), place, stranger));
            }

            OneLine(name, Changed(Text(name), place, null));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Nesting_and_length_without_end_are_refused_or_taken_soon(string name)
    {
        var watch = Stopwatch.StartNew();
        OneLine(name, Encoding.UTF8.GetBytes(new string('[', 1_000_000)));
        OneLine(name, Encoding.UTF8.GetBytes("{\"a\":" + string.Concat(Enumerable.Repeat("{\"a\":", 100_000))));
        OneLine(name, Encoding.UTF8.GetBytes(Text(name).Replace("\"b\"", $"\"{new string('b', 4_000_000)}\"", StringComparison.Ordinal)));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"took {watch.Elapsed}");
    }

    static IEnumerable<object[]> Places(JsonNode node, object[] above)
    {
        var below = node switch
        {
            JsonObject members => members.Select(member => (Key: (object)member.Key, member.Value)),
            JsonArray items => items.Select((item, index) => (Key: (object)index, Value: item)),
            _ => [],
        };
        foreach (var (key, value) in below)
        {
            yield return [.. above, key];
            if (value is not null)
            {
                foreach (var deeper in Places(value, [.. above, key]))
                {
                    yield return deeper;
                }
            }
        }
    }

    static byte[] Changed(string json, object[] place, string? stranger)
    {
        var root = JsonNode.Parse(json)!;
        var parent = place[..^1].Aggregate(root, (node, key) => key is string name ? node[name]! : node[(int)key]!);
        const string Mark = "the stranger stands here";
        switch (parent, place[^1])
        {
            case (JsonObject members, string name) when stranger is null: members.Remove(name); break;
            case (JsonObject members, string name): members[name] = Mark; break;
            case (JsonArray items, int index) when stranger is null: items.RemoveAt(index); break;
            case (JsonArray items, int index): items[index] = Mark; break;
        }

        return Encoding.UTF8.GetBytes(root.ToJsonString().Replace($"\"{Mark}\"", stranger, StringComparison.Ordinal));
    }
}
