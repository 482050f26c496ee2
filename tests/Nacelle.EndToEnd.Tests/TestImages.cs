using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nacelle.EndToEnd.Tests;

/// <summary>Small images of Debian's static busybox, written as one OCI layout for the whole run.</summary>
public static class TestImages
{
    static readonly Lazy<string> Layout = new(Write);

    public static string Busybox => $"oci:{Layout.Value}:busybox";

    /// <summary>An image that asks for a volume at /data, which it has filled, and runs as a user of its own.</summary>
    public static string Volume => $"oci:{Layout.Value}:volume";

    /// <summary>A hundred and twenty layers, each with a file, and a whiteout of the first one's.</summary>
    public static string Deep => $"oci:{Layout.Value}:deep";

    /// <summary>Its /etc/resolv.conf is a pipe: who opens it waits.</summary>
    public static string Piped => $"oci:{Layout.Value}:piped";

    public static string WithoutProgram => $"oci:{Layout.Value}:empty";

    static string Write()
    {
        Assert.SkipUnless(File.Exists("/bin/busybox"), "needs Debian's busybox-static");
        var path = Directory.CreateTempSubdirectory("nacelle-e2e-images-").FullName + "/busybox"; // which names the apps
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        var layout = new LayoutWriter(path);
        var busybox = layout.Layer(BusyboxFiles());
        layout.Image("busybox", [busybox], new JsonObject { ["Cmd"] = new JsonArray("/bin/sh"), ["Env"] = new JsonArray("PATH=/bin:/usr/bin", "FROM_IMAGE=image") });
        layout.Image("empty", [busybox], []);
        layout.Image("piped", [busybox, layout.Layer([new PaxTarEntry(TarEntryType.Fifo, "etc/resolv.conf") { Mode = (UnixFileMode)0x1A4 }])], new JsonObject { ["Cmd"] = new JsonArray("/bin/sh") });
        layout.Image("volume", [busybox, layout.Layer([Folder("data", 1000, 0b111_000_000), Text("data/seed", "seed", 1000)])], new JsonObject
        {
            ["Entrypoint"] = new JsonArray("/bin/sh", "-c"), ["Cmd"] = new JsonArray("exit 3"), ["User"] = "user", ["WorkingDir"] = "/data",
            ["Volumes"] = new JsonObject { ["/data"] = new JsonObject() }, ["StopSignal"] = "SIGUSR1",
        });
        layout.Image(
            "deep", [busybox, .. Enumerable.Range(0, 118).Select(i => layout.Layer([Text($"layers/{i}", $"{i}")])), layout.Layer([Text("layers/.wh.0", "")])],
            new JsonObject { ["Cmd"] = new JsonArray("/bin/sh") });
        layout.Close();
        return path;
    }

    static IEnumerable<TarEntry> BusyboxFiles()
    {
        foreach (var folder in (string[])["bin", "etc", "usr", "usr/bin", "root"])
        {
            yield return Folder(folder);
        }

        yield return new PaxTarEntry(TarEntryType.Directory, "tmp") { Mode = (UnixFileMode)0x3FF };
        yield return new PaxTarEntry(TarEntryType.RegularFile, "bin/busybox") { Mode = (UnixFileMode)0x1ED, DataStream = new MemoryStream(File.ReadAllBytes("/bin/busybox")) };
        foreach (var name in "sh ls cat echo sleep true false id mount ps env hostname mkdir rm ip mknod dd stty tty kill grep head wc touch stat unshare readlink seq tail pwd cut".Split(' '))
        {
            yield return new PaxTarEntry(TarEntryType.SymbolicLink, $"bin/{name}") { LinkName = "busybox" };
        }

        yield return Text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n");
        yield return Text("etc/group", "root:x:0:\nuser:x:1000:\nextra:x:1001:user\n");
        yield return new PaxTarEntry(TarEntryType.RegularFile, "bin/needs-interpreter") { Mode = (UnixFileMode)0x1ED, DataStream = new MemoryStream("#!/no/such/interpreter\n"u8.ToArray()) };
        yield return Text("bin/not-executable", "#!/bin/sh\n");
        yield return new PaxTarEntry(TarEntryType.SymbolicLink, "escape") { LinkName = "../../../../../../tmp" };
    }

    static TarEntry Folder(string name, int owner = 0, int mode = 0x1ED) => new PaxTarEntry(TarEntryType.Directory, name) { Uid = owner, Gid = owner, Mode = (UnixFileMode)mode };

    static TarEntry Text(string name, string content, int owner = 0) => new PaxTarEntry(TarEntryType.RegularFile, name)
    {
        Uid = owner, Gid = owner, Mode = (UnixFileMode)0x1A4, DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)),
    };

    sealed class LayoutWriter
    {
        readonly string path;
        readonly JsonArray manifests = [];

        public LayoutWriter(string path)
        {
            this.path = path;
            Directory.CreateDirectory(path + "/blobs/sha256");
            File.WriteAllText(path + "/oci-layout", """{"imageLayoutVersion":"1.0.0"}""");
        }

        public (string Digest, long Size) Layer(IEnumerable<TarEntry> entries)
        {
            using var content = new MemoryStream();
            using (var tar = new TarWriter(content, leaveOpen: true))
            {
                foreach (var entry in entries)
                {
                    tar.WriteEntry(entry);
                }
            }

            return Blob(content.ToArray());
        }

        public void Image(string tag, IReadOnlyList<(string Digest, long Size)> layers, JsonObject run)
        {
            var config = Blob(Json(new JsonObject
            {
                ["architecture"] = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 ? "amd64" : "arm64",
                ["os"] = "linux", ["config"] = run,
                ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(layer => JsonValue.Create(layer.Digest))]) },
            }));
            var manifest = Blob(Json(new JsonObject
            {
                ["schemaVersion"] = 2, ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
                ["config"] = Descriptor("application/vnd.oci.image.config.v1+json", config),
                ["layers"] = new JsonArray([.. layers.Select(layer => Descriptor("application/vnd.oci.image.layer.v1.tar", layer))]),
            }));
            var described = Descriptor("application/vnd.oci.image.manifest.v1+json", manifest);
            described["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = tag };
            manifests.Add(described);
        }

        public void Close() => File.WriteAllBytes(path + "/index.json", Json(new JsonObject { ["schemaVersion"] = 2, ["manifests"] = manifests }));

        static JsonObject Descriptor(string type, (string Digest, long Size) blob) => new() { ["mediaType"] = type, ["digest"] = blob.Digest, ["size"] = blob.Size };

        static byte[] Json(JsonObject document) => Encoding.UTF8.GetBytes(document.ToJsonString(JsonSerializerOptions.Default));

        (string Digest, long Size) Blob(byte[] content)
        {
            var hex = Convert.ToHexStringLower(SHA256.HashData(content));
            File.WriteAllBytes($"{path}/blobs/sha256/{hex}", content);
            return ("sha256:" + hex, content.Length);
        }
    }
}
