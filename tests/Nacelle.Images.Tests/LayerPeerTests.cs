using System.Text.Json;
using Nacelle.Linux;

namespace Nacelle.Images.Tests;

/// <summary>Layers made by another tool come out as that tool unpacks them.</summary>
public class LayerPeerTests
{
    [Fact]
    public void An_image_repacked_by_umoci_is_merged_as_umoci_merges_it()
    {
        using var scratch = new LayerScratch();
        Assert.SkipUnless(System.IO.File.Exists("/usr/bin/umoci"), "umoci is not installed");
        scratch.Shell("""
            exec 2>&1
            umoci init --layout image; umoci new --image image:one
            umoci unpack --image image:one bundle
            cd bundle/rootfs; mkdir -p etc opt/app/deep usr/bin; echo 1 >etc/a; echo 1 >etc/b; echo 1 >opt/app/deep/x; cp /bin/true usr/bin/true; ln usr/bin/true usr/bin/again
            setcap cap_net_raw=ep usr/bin/true; setfattr -n user.bytes -v 0x80ff etc/a; ln -s a etc/link; chown 3:4 etc/b; mkdir -m 1777 tmp; cd ../..
            umoci repack --image image:one bundle; rm -rf bundle; umoci unpack --image image:one bundle
            cd bundle/rootfs; rm -rf opt/app etc/b; mkdir opt/app; echo 2 >opt/app/new; rm etc/link; mkdir etc/link; echo 2 >etc/link/inside; echo 2 >tmp/file; cd ../..
            umoci repack --image image:one bundle; rm -rf bundle; umoci unpack --image image:one bundle
            """);
        var index = Json(scratch, "image/index.json");
        var manifest = Json(scratch, Blob(index.GetProperty("manifests")[0]));
        var sources = new List<LayerSource>();
        foreach (var layer in manifest.GetProperty("layers").EnumerateArray())
        {
            using var blob = System.IO.File.OpenRead($"{scratch.Path}/{Blob(layer)}");
            var name = $"layer{sources.Count}";
            var result = scratch.Unpack(blob, name);
            sources.Add(new LayerSource(scratch.Make(name), result.RootIsOpaque, result.ImpliedDirectories.ToHashSet(StringComparer.Ordinal)));
        }

        Assert.Equal(2, sources.Count);
        LayerCopy.Flatten(sources, scratch.Make("copy"), OwnerShift.None);
        Assert.Equal(WithoutRoot(LayerSnapshot.Of(scratch.Make("bundle/rootfs"))), WithoutRoot(LayerSnapshot.Of(scratch.Make("copy"))));
    }

    static string Blob(JsonElement descriptor) => "image/blobs/" + descriptor.GetProperty("digest").GetString()!.Replace(':', '/');

    static JsonElement Json(LayerScratch scratch, string path) => JsonDocument.Parse(Files.ReadAll(scratch.Root, path)).RootElement;

    /// <summary>umoci leaves its working directory's time on the root when no layer describes that.</summary>
    static string WithoutRoot(string snapshot) => snapshot[(snapshot.IndexOf('\n') + 1)..];
}
