using System.Security.Cryptography;
using CsCheck;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Appc images from files: taken into the store, rendered with their dependencies, found again.</summary>
public sealed class AciStoreTests
{
    static StoreScratch NewStore(PullPolicy policy = PullPolicy.New)
    {
        var store = new StoreScratch();
        store.Options = store.Options with { InsecureImage = true, PullPolicy = policy };
        return store;
    }

    static Task<StoredImage> TakeAsync(StoreScratch store, byte[] archive, string file = "image.aci")
    {
        File.WriteAllBytes($"{store.Scratch.Path}/{file}", archive);
        return store.FetchAsync(ImageName.Parse($"{store.Scratch.Path}/{file}"));
    }

    /// <summary>The root file system as a copy would be.</summary>
    static string[] Tree(StoreScratch store, StoredImage image)
    {
        var target = store.Scratch.Make($"tree-{Guid.NewGuid():n}");
        var layers = image.Layers.Select(layer => store.Store.Layers.TryOpenSource(layer)!).ToList();
        LayerCopy.Flatten(layers, target, OwnerShift.None);
        layers.ForEach(layer => layer.Dispose());
        var root = Files.ReadLink(FileDescriptor.WorkingDirectory, target.ProcPath);
        return [.. Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root, path) + (Directory.Exists(path) ? "/" : "=" + File.ReadAllText(path))).Order(StringComparer.Ordinal)];
    }

    [Theory]
    [InlineData("cat")]
    [InlineData("gzip")]
    [InlineData("bzip2")]
    [InlineData("xz")]
    [InlineData("zstd")]
    public async Task However_it_is_compressed_the_id_is_that_of_the_plain_archive(string program)
    {
        using var store = NewStore();
        var archive = AciBuilder.Make("example.com/app", ("etc/", ""), ("etc/file", "content"));
        var image = await TakeAsync(store, AciBuilder.Compress(store.Scratch, archive, program));
        Assert.Equal($"sha512:{Convert.ToHexStringLower(SHA512.HashData(archive))}", image.Id.ToString());
        Assert.Equal(archive, store.Store.Content.Read(image.Id));
        Assert.Equal(["etc/", "etc/file=content"], Tree(store, image));
        Assert.Empty(store.Downloads());
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("bzip2")]
    [InlineData("xz")]
    [InlineData("zstd")]
    public async Task A_truncated_archive_is_refused_and_leaves_nothing(string program)
    {
        using var store = NewStore();
        var archive = AciBuilder.Make("example.com/app", ("file", Convert.ToHexString(RandomNumberGenerator.GetBytes(50_000))));
        var compressed = AciBuilder.Compress(store.Scratch, archive, program);
        await Assert.ThrowsAsync<LayerException>(() => TakeAsync(store, compressed[..(compressed.Length / 2)]));
        Assert.Empty(store.Store.List());
        Assert.Empty(store.Store.Content.List());
        store.RequireNothingHalfUnpacked();
    }

    [Fact]
    public async Task An_image_is_found_by_its_id_its_name_and_any_of_its_labels()
    {
        using var store = NewStore();
        var image = await TakeAsync(store, AciBuilder.Make("example.com/app", ("file", "")));
        foreach (var text in new[] { "example.com/app", "example.com/app:1.0", "example.com/app,os=linux", image.Id.FileName, image.ShortId, image.Id.Hex[..8] })
        {
            Assert.Equal(image.Id, store.Store.Find(text)?.Id);
        }

        foreach (var text in new[] { "example.com/ap", "example.com/app:2.0", "example.com/app,os=plan9", "example.com/app,x=y", "example.com" })
        {
            Assert.Null(store.Store.Find(text));
        }
    }

    [Fact]
    public async Task Dependencies_lie_below_in_their_order()
    {
        using var store = NewStore();
        await TakeAsync(store, AciBuilder.Make("example.com/a", ("one", "a"), ("two", "a"), ("three", "a")), "a.aci");
        await TakeAsync(store, AciBuilder.Make("example.com/b", ("two", "b"), ("three", "b")), "b.aci");
        var image = await TakeAsync(store, AciBuilder.Make("example.com/app", AciBuilder.Depends("example.com/a", "example.com/b"), ("three", "app")));
        Assert.Equal(["one=a", "three=app", "two=b"], Tree(store, image));
    }

    [Fact]
    public async Task An_image_that_two_dependencies_bring_counts_where_it_is_highest()
    {
        using var store = NewStore();
        await TakeAsync(store, AciBuilder.Make("example.com/base", ("file", "base"), ("other", "base")), "base.aci");
        await TakeAsync(store, AciBuilder.Make("example.com/b", AciBuilder.Depends("example.com/base"), ("file", "b")), "b.aci");
        await TakeAsync(store, AciBuilder.Make("example.com/c", AciBuilder.Depends("example.com/base"), ("more", "c")), "c.aci");
        var image = await TakeAsync(store, AciBuilder.Make("example.com/app", AciBuilder.Depends("example.com/b", "example.com/c")));
        Assert.Equal(["file=base", "more=c", "other=base"], Tree(store, image));
        Assert.Equal(image.Layers.Distinct(), image.Layers);
    }

    [Fact]
    public async Task A_whitelist_leaves_only_what_it_names()
    {
        using var store = NewStore();
        await TakeAsync(store, AciBuilder.Make("example.com/base", ("bin/", ""), ("bin/sh", "sh"), ("bin/ls", "ls"), ("etc/", ""), ("etc/a/", ""), ("etc/a/x", "x"), ("etc/b", "b")), "base.aci");
        var image = await TakeAsync(store, AciBuilder.Make(
            "example.com/app", AciBuilder.Depends("example.com/base") + AciBuilder.Whitelist("/bin/sh", "/etc/a", "/own", "/new/empty/", "/never"), ("own", "own"), ("gone", "")));
        Assert.Equal(["bin/", "bin/sh=sh", "etc/", "etc/a/", "new/", "new/empty/", "own=own"], Tree(store, image));
        Assert.Equal(["bin/", "bin/ls=ls", "bin/sh=sh", "etc/", "etc/a/", "etc/a/x=x", "etc/b=b"], Tree(store, store.Store.Find("example.com/base")!));
    }

    [Fact]
    public async Task What_no_whiteout_can_name_cannot_be_left_out()
    {
        using var store = NewStore();
        Assert.Contains(".wh.x", (await Assert.ThrowsAsync<ImageException>(() =>
            TakeAsync(store, AciBuilder.Make("example.com/app", AciBuilder.Whitelist("/a"), ("a", ""), (".wh.x", ""))))).Message, StringComparison.Ordinal);
        Assert.Empty(store.Store.List());
    }

    [Fact]
    public async Task The_whitelist_of_a_dependency_does_not_bind_who_depends_on_it()
    {
        using var store = NewStore();
        await TakeAsync(store, AciBuilder.Make("example.com/base", AciBuilder.Whitelist("/a"), ("a", "a"), ("b", "b")), "base.aci");
        var image = await TakeAsync(store, AciBuilder.Make("example.com/app", AciBuilder.Depends("example.com/base"), ("b", "app")));
        Assert.Equal(["a=a", "b=app"], Tree(store, image));
    }

    [Fact]
    public async Task A_name_like_a_whiteout_is_a_name()
    {
        using var store = NewStore();
        var image = await TakeAsync(store, AciBuilder.Make("example.com/app", (".wh.file", "x"), ("dir/", ""), ("dir/.wh..wh..opq", "y")));
        Assert.Equal([".wh.file=x", "dir/", "dir/.wh..wh..opq=y"], Tree(store, image));
    }

    [Fact]
    public async Task The_manifest_may_stand_last_and_names_may_begin_with_a_dot()
    {
        using var store = NewStore();
        var archive = new TarBuilder().Directory("./").Directory("./rootfs/").File("./rootfs/a", "a").HardLink("./rootfs/b", "./rootfs/a").File("./manifest", AciBuilder.Manifest("example.com/app")).Bytes();
        Assert.Equal(["a=a", "b=a"], Tree(store, await TakeAsync(store, archive)));
    }

    [Theory]
    [InlineData("rootfs/../escape", "climbs out")]
    [InlineData("../escape", "does not belong into an ACI")]
    [InlineData("rootfsx/file", "does not belong into an ACI")]
    [InlineData("readme", "does not belong into an ACI")]
    public async Task What_does_not_belong_into_an_image_is_refused(string path, string reason)
    {
        using var store = NewStore();
        var archive = new TarBuilder().File("manifest", AciBuilder.Manifest("example.com/app")).Directory("rootfs").File(path, "x").Bytes();
        Assert.Contains(reason, (await Assert.ThrowsAsync<LayerException>(() => TakeAsync(store, archive))).Message, StringComparison.Ordinal);
        Assert.Empty(store.Store.List());
        store.RequireNothingHalfUnpacked();
    }

    [Fact]
    public async Task Without_a_manifest_it_is_no_image()
    {
        using var store = NewStore();
        Assert.Contains("no file 'manifest'", (await Assert.ThrowsAsync<LayerException>(() => TakeAsync(store, new TarBuilder().Directory("rootfs").Bytes()))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_for_another_machine_is_refused()
    {
        using var store = NewStore();
        var manifest = AciBuilder.Manifest("example.com/app").Replace($"\"{Platform.Current.AppcArchitecture}\"", "\"s390x\"", StringComparison.Ordinal);
        var archive = new TarBuilder().File("manifest", manifest).Directory("rootfs").Bytes();
        Assert.Contains("is for linux/s390x", (await Assert.ThrowsAsync<ImageException>(() => TakeAsync(store, archive))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dependency_with_another_id_is_refused()
    {
        using var store = NewStore();
        await TakeAsync(store, AciBuilder.Make("example.com/base"), "base.aci");
        var dependency = $$""","dependencies":[{"imageName":"example.com/base","imageID":"sha512-{{new string('0', 128)}}"}]""";
        Assert.Contains("with the id sha512-000", (await Assert.ThrowsAsync<ImageException>(() => TakeAsync(store, AciBuilder.Make("example.com/app", dependency)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dependencies_in_a_circle_are_refused()
    {
        using var store = NewStore();
        await TakeAsync(store, AciBuilder.Make("example.com/a"), "a.aci");
        Assert.Contains("go round in a circle", (await Assert.ThrowsAsync<ImageException>(() =>
            TakeAsync(store, AciBuilder.Make("example.com/app", AciBuilder.Depends("example.com/a", "example.com/app"))))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unsigned_images_are_refused_unless_that_is_waived()
    {
        using var store = NewStore();
        store.Options = store.Options with { InsecureImage = false };
        Assert.Contains("--insecure-options=image", (await Assert.ThrowsAsync<ImageException>(() => TakeAsync(store, AciBuilder.Make("example.com/app")))).Message, StringComparison.Ordinal);
        Assert.Empty(store.Store.List());
    }

    [Fact]
    public async Task What_is_removed_goes_but_for_what_other_images_are_made_of()
    {
        using var store = NewStore();
        var dependency = await TakeAsync(store, AciBuilder.Make("example.com/base", ("a", "a"), ("b", "b")), "base.aci");
        var image = await TakeAsync(store, AciBuilder.Make("example.com/app", AciBuilder.Depends("example.com/base") + AciBuilder.Whitelist("/a")));
        store.Store.Remove(dependency, () => new HashSet<Digest>());
        Assert.Equal(["a=a"], Tree(store, image));
        Assert.Null(store.Store.Find("example.com/base"));
        store.Store.Remove(image, () => new HashSet<Digest>());
        Assert.Empty(store.Store.Layers.List());
        Assert.Empty(store.Store.Content.List());
    }

    [Fact]
    public async Task Other_tools_still_read_the_layout_beside_appc_images()
    {
        using var store = NewStore();
        await TakeAsync(store, AciBuilder.Make("example.com/app"));
        Assert.DoesNotContain("appc", File.ReadAllText($"{store.Path}/images/index.json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_layer_of_an_image_is_verified_and_mended_dependencies_and_what_hides_too()
    {
        using var store = NewStore();
        var dependency = await TakeAsync(store, AciBuilder.Make("example.com/base", ("a", "a"), ("b", "b")), "base.aci");
        var image = await TakeAsync(store, AciBuilder.Make("example.com/app", AciBuilder.Depends("example.com/base") + AciBuilder.Whitelist("/a"), ("x", "")));
        store.Store.Remove(dependency, () => new HashSet<Digest>());
        Assert.Equal(3, image.Layers.Count);
        Assert.All(ImageVerification.Verify(store.Store, image, new HashSet<Digest>()), layer => Assert.Equal(LayerState.Intact, layer.State));
        foreach (var layer in image.Layers)
        {
            File.WriteAllText($"{store.Path}/layers/{layer.FileName}/rootfs/more", "");
        }

        Assert.Throws<ImageException>(() => ImageVerification.Require(store.Store, image));
        Assert.All(ImageVerification.Verify(store.Store, image, new HashSet<Digest>()), layer => Assert.Equal(LayerState.Rebuilt, layer.State));
        ImageVerification.Require(store.Store, image);
        Assert.Equal(["a=a"], Tree(store, image));
    }

    [Fact]
    public void Damaged_archives_are_taken_or_refused_with_one_line()
    {
        using var store = NewStore();
        var plain = AciBuilder.Make("example.com/app", ("etc/", ""), ("etc/file", "content"), ("x", new string('x', 2000)));
        byte[][] seeds = [plain, .. new[] { "gzip", "bzip2", "xz", "zstd" }.Select(program => AciBuilder.Compress(store.Scratch, plain, program))];
        Gen.Select(Gen.Int[0, seeds.Length - 1], Gen.Select(Gen.Double[0, 1], Gen.Byte).Array[1, 5], Gen.Double[0.3, 1.2]).Sample(
            (which, changes, length) =>
            {
                var damaged = seeds[which].AsSpan(0, (int)Math.Min(seeds[which].Length, seeds[which].Length * length)).ToArray();
                foreach (var (at, value) in changes)
                {
                    damaged[(int)(at * (damaged.Length - 1))] = value;
                }

                try
                {
                    TakeAsync(store, damaged).GetAwaiter().GetResult();
                }
                catch (Exception refused) when (refused is LayerException or SpecException or ImageException)
                {
                    Assert.DoesNotContain('\n', refused.Message);
                }
            },
            iter: 400, threads: 1);
        store.RequireNothingHalfUnpacked();
    }
}
