using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

public class LayerStoreTests
{
    static readonly byte[] Archive = new TarBuilder().Directory("etc").File("etc/motd", "hello").File("opt/x", "y").Bytes();
    static readonly Digest DiffId = Digest.Sha256(SHA256.HashData(Archive));

    [Fact]
    public void A_committed_layer_can_be_opened_listed_and_read()
    {
        using var scratch = new LayerScratch();
        using var store = LayerStore.Open(scratch.Root);
        Assert.Null(store.TryOpen(DiffId));
        Assert.Null(store.TryRead(DiffId));
        Add(store);

        using var rootfs = store.TryOpen(DiffId)!;
        Assert.Equal("hello", Files.TryReadText(rootfs, "etc/motd"));
        Assert.Equal([DiffId], store.List());
        var record = store.TryRead(DiffId)!;
        Assert.Equal((DiffId, (long)Archive.Length, 6L, 4L, false), (record.DiffId, record.TarBytes, record.UnpackedBytes, record.Entries, record.RootIsOpaque));
        Assert.Equal(["", "opt"], store.ImpliedDirectories(DiffId).Order(StringComparer.Ordinal));
        Assert.Equal([$"sha256-{DiffId.Hex}"], Names(scratch));
    }

    [Fact]
    public void A_layer_that_is_here_is_not_unpacked_again()
    {
        using var scratch = new LayerScratch();
        using var store = LayerStore.Open(scratch.Root);
        Add(store);
        Assert.False(store.TryBegin(DiffId, out _));
    }

    [Fact]
    public void A_layer_with_another_digest_leaves_nothing()
    {
        using var scratch = new LayerScratch();
        using var store = LayerStore.Open(scratch.Root);
        var wrong = Digest.Sha256(SHA256.HashData("something else"u8));
        using (var layer = Begin(store, wrong))
        {
            var refusal = Assert.Throws<LayerException>(() => layer.Unpack(new MemoryStream(Archive)));
            Assert.Equal($"layer: the archive's digest is {DiffId}, and the image's configuration says {wrong}", refusal.Message);
            Assert.Throws<InvalidOperationException>(() => store.Commit(layer));
        }

        Assert.Empty(Names(scratch));
    }

    [Fact]
    public void A_diff_id_may_be_sha512()
    {
        using var scratch = new LayerScratch();
        using var store = LayerStore.Open(scratch.Root);
        var diffId = Digest.Sha512(SHA512.HashData(Archive));
        using var layer = Begin(store, diffId);
        layer.Unpack(new MemoryStream(Archive));
        store.Commit(layer);
        Assert.Equal([diffId], store.List());
    }

    [Fact]
    public void Who_loses_a_race_has_nothing_to_complain_about()
    {
        using var scratch = new LayerScratch();
        using var store = LayerStore.Open(scratch.Root);
        using var other = LayerStore.Open(scratch.Root);
        using var one = Begin(store, DiffId);
        using var two = Begin(other, DiffId);
        one.Unpack(new MemoryStream(Archive));
        two.Unpack(new MemoryStream(Archive));
        store.Commit(one);
        other.Commit(two);
        Assert.Equal([DiffId.FileName], Names(scratch));
    }

    [Fact]
    public void Many_threads_that_add_remove_and_sweep_never_see_half_a_layer()
    {
        using var scratch = new LayerScratch();
        var archives = Enumerable.Range(0, 3).Select(i => new TarBuilder().File("first", "1").File($"d{i}/x", new string('x', 5000)).File("last", "2").Bytes()).ToArray();
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, worker =>
        {
            using var store = LayerStore.Open(scratch.Root);
            for (int round = 0; round < 60; round++)
            {
                var archive = archives[(worker + round) % archives.Length];
                var diffId = Digest.Sha256(SHA256.HashData(archive));
                switch (worker % 4)
                {
                    case 0:
                        store.Remove(diffId);
                        break;
                    case 1:
                        store.Sweep();
                        break;
                    default:
                        if (store.TryBegin(diffId, out var layer))
                        {
                            using (layer)
                            {
                                layer.Unpack(new MemoryStream(archive));
                                store.Commit(layer);
                            }
                        }

                        break;
                }
            }
        });

        using var last = LayerStore.Open(scratch.Root);
        last.Sweep();
        Assert.All(Names(scratch), name => Assert.StartsWith("sha256-", name, StringComparison.Ordinal));
        foreach (var diffId in last.List())
        {
            using var rootfs = last.TryOpen(diffId)!;
            Assert.Equal("2", Files.TryReadText(rootfs, "last"));
            Assert.NotNull(last.TryRead(diffId));
        }
    }

    [Fact]
    public void A_sweep_spares_what_is_being_unpacked_and_removes_what_nobody_holds()
    {
        using var scratch = new LayerScratch();
        using var store = LayerStore.Open(scratch.Root);
        using var living = Begin(store, DiffId);
        scratch.Shell("mkdir -p layers/.unpacking-dead/rootfs/a layers/.removing-dead/rootfs; echo x >layers/.unpacking-dead/rootfs/a/b");
        Assert.Equal(2, store.Sweep());
        living.Unpack(new MemoryStream(Archive));
        store.Commit(living);
        Assert.Equal([DiffId.FileName], Names(scratch));
        Assert.Equal(0, store.Sweep());
    }

    [Fact]
    public void A_removed_layer_is_gone()
    {
        using var scratch = new LayerScratch();
        using var store = LayerStore.Open(scratch.Root);
        Add(store);
        Assert.True(store.Remove(DiffId));
        Assert.False(store.Remove(DiffId));
        Assert.Empty(Names(scratch));
    }

    [Fact]
    public void A_layer_given_up_leaves_nothing()
    {
        using var scratch = new LayerScratch();
        using var store = LayerStore.Open(scratch.Root);
        using (var layer = Begin(store, DiffId))
        {
            layer.Unpack(new MemoryStream(Archive));
        }

        Assert.Empty(Names(scratch));
    }

    static void Add(LayerStore store)
    {
        using var layer = Begin(store, DiffId);
        layer.Unpack(new MemoryStream(Archive));
        store.Commit(layer);
    }

    static PendingLayer Begin(LayerStore store, Digest diffId)
    {
        Assert.True(store.TryBegin(diffId, out var layer));
        return layer;
    }

    static IEnumerable<string> Names(LayerScratch scratch) => Directories.List(scratch.Root, "layers").Select(entry => entry.Name);
}
