using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Layers made here, compared with what their own archives unpack to, and read by GNU tar.</summary>
public class LayerCreationTests
{
    const string Tree = """
        mkdir -p upper/bin upper/data upper/empty; cd upper
        cp /bin/true bin/capable; setcap cap_net_raw=ep bin/capable; ln bin/capable bin/again; ln bin/capable data/third
        chmod 6755 bin; chmod 0500 data; echo x >data/file; setfattr -n user.bytes -v 0x80ff00 data/file; chown 5:3000000 data/file; chmod 4711 data/file
        ln -s nowhere data/link; chown -h 7:8 data/link; mkfifo data/pipe; mknod data/null c 1 3; chmod 0620 data/null
        truncate -s 1M data/hole; n=$(printf 'n%.0s' $(seq 200)); mkdir -p long/$n/$n; echo y >long/$n/$n/$n; ln -s $n/$n/$n long/link
        printf 'caf\303\251' >"caf$(printf '\303\251')"; touch "raw$(printf '\377')"
        mknod gone c 0 0; mkdir opaque; echo z >opaque/new; setfattr -n trusted.overlay.opaque -v y opaque; setfattr -n trusted.overlay.origin -v abc opaque/new
        touch -h -d '2001-02-03 04:05:06.789' data/* bin/* . bin; touch -d '2040-01-01' data/file
        """;

    [Theory]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    public void What_lies_in_the_store_is_what_the_blob_unpacks_to(LayerCompression compression)
    {
        using var scratch = new StoreScratch();
        scratch.Scratch.Shell($"mkdir -p data; cd data; {Tree}");
        var layer = Create(scratch, new LayerContent { Time = new LayerTime(1_700_000_000, All: false) }, compression);

        using var fetched = scratch.Store.Layers.TryOpen(layer.DiffId)!;
        using var blob = new MemoryStream(scratch.Store.Content.Read(layer.Blob.Digest));
        Assert.Equal(layer.Blob.Digest, Digest.Sha256(SHA256.HashData(blob.ToArray())));
        var unpacked = LayerUnpacker.Unpack(blob, LayerCompression.Detect, scratch.Scratch.Make("unpacked"), new UnpackOptions());
        Assert.Equal(layer.DiffId, Digest.Sha256(unpacked.DiffId));
        Assert.Equal([""], unpacked.ImpliedDirectories);
        Assert.Equal(WithoutRoot(LayerSnapshot.Of(scratch.Scratch.Make("unpacked"))), WithoutRoot(LayerSnapshot.Of(fetched)));
        Assert.Equal([""], scratch.Store.Layers.ImpliedDirectories(layer.DiffId));
    }

    [Fact]
    public void GNU_tar_reads_the_archive()
    {
        using var scratch = new StoreScratch();
        scratch.Scratch.Shell($"mkdir -p data; cd data; {Tree}");
        var layer = Create(scratch, new LayerContent { Root = true }, LayerCompression.Gzip);
        var listing = scratch.Scratch.Shell($"tar --numeric-owner -tvzf data/images/blobs/sha256/{layer.Blob.Digest.Hex} --quoting-style=escape | tr -s ' '");
        Assert.Contains("-rws--x--x 5/3000000 2 2040-01-01", listing, StringComparison.Ordinal);
        Assert.Contains("data/third link to bin/again", listing, StringComparison.Ordinal);
        Assert.Contains(".wh.gone\n", listing, StringComparison.Ordinal);
        Assert.Contains("opaque/.wh..wh..opq\n", listing, StringComparison.Ordinal);
        Assert.Equal("caf\u00e9", scratch.Scratch.Shell($"mkdir out; tar --numeric-owner -xzf data/images/blobs/sha256/{layer.Blob.Digest.Hex} -C out; cat out/caf*").Trim());
        Assert.Contains("crw--w---- 0/0 1,3", listing, StringComparison.Ordinal);
        Assert.Contains($"long/link -> {new string('n', 200)}/", listing, StringComparison.Ordinal);
        Assert.StartsWith("drwx", listing, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_tree_gives_the_same_blob_and_a_single_time_where_one_is_wanted()
    {
        var content = new LayerContent { Time = new LayerTime(1_000_000_000, All: true) };
        var blobs = new List<Descriptor>();
        for (int i = 0; i < 2; i++)
        {
            using var scratch = new StoreScratch();
            scratch.Scratch.Shell(i == 0 ? "mkdir -p data/upper; cd data/upper; echo a >a; echo b >b" : "mkdir -p data/upper; cd data/upper; echo b >b; echo a >a; sync a");
            blobs.Add(Create(scratch, content, LayerCompression.Gzip).Blob);
            Assert.Equal("1000000000\n1000000000\n", scratch.Scratch.Shell("stat -c %Y data/layers/*/rootfs/*"));
        }

        Assert.Equal(blobs[0].Digest, blobs[1].Digest);
    }

    [Fact]
    public void What_is_not_kept_is_neither_in_the_archive_nor_on_the_disk_and_leaves_its_directorys_time_alone()
    {
        using var scratch = new StoreScratch();
        scratch.Scratch.Shell("mkdir -p data/upper/etc; cd data/upper; echo a >etc/hosts; echo b >etc/b; touch -d @1000 etc");
        var layer = Create(scratch, new LayerContent { Keep = (path, _) => path != "etc/hosts" }, LayerCompression.Gzip);
        Assert.Equal("1000 b\n", scratch.Scratch.Shell("echo $(stat -c %Y data/layers/*/rootfs/etc) $(ls data/layers/*/rootfs/etc)"));
        Assert.Equal("etc/\netc/b\n", scratch.Scratch.Shell($"tar -tzf data/images/blobs/sha256/{layer.Blob.Digest.Hex}"));
    }

    [Fact]
    public void A_name_that_means_removal_to_layers_is_refused_and_nothing_stays()
    {
        using var scratch = new StoreScratch();
        scratch.Scratch.Shell("mkdir -p data/upper/etc; touch data/upper/etc/.wh.x");
        Assert.StartsWith("layer entry 'etc/.wh.x' has a name by which", Assert.Throws<LayerException>(() => Create(scratch, new LayerContent(), LayerCompression.Gzip)).Message);
        Assert.Equal("", scratch.Scratch.Shell("ls -A data/layers; ls -A data/ingest; ls data | grep upper || :"));
    }

    [Fact]
    public void Collecting_keeps_the_layers_of_cached_steps_until_they_are_old()
    {
        using var scratch = new StoreScratch();
        scratch.Scratch.Shell("mkdir -p data/upper; echo a >data/upper/a");
        var layer = Create(scratch, new LayerContent(), LayerCompression.Gzip);
        var key = ContentStore.DigestOf("key"u8);
        using (var cache = new BuildCache(scratch.Store))
        {
            cache.Add(key, new CachedStep(layer, DateTimeOffset.UnixEpoch));
            Assert.Equal(new CachedStep(layer, DateTimeOffset.UnixEpoch), cache.Find(key));
            Assert.Null(cache.Find(ContentStore.DigestOf("other"u8)));
            Assert.True(scratch.Store.Collect(() => new HashSet<Digest>(), TimeSpan.Zero));
            Assert.NotNull(cache.Find(key));
            scratch.Scratch.Shell($"touch -d '8 days ago' data/builds/cache/{key.Hex}");
            Assert.True(scratch.Store.Collect(() => new HashSet<Digest>(), TimeSpan.Zero));
            Assert.Null(cache.Find(key));
            Assert.False(scratch.Store.Layers.Contains(layer.DiffId));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("created 1\ncreated x\n")]
    [InlineData("layer sha256:00 1\ncreated 1\n")]
    [InlineData("created 1\nlayer sha256:0000000000000000000000000000000000000000000000000000000000000000 1\n")]
    [InlineData("created 99999999999999999\n")]
    public void A_record_that_makes_no_sense_is_no_record(string text)
    {
        using var scratch = new StoreScratch();
        using var cache = new BuildCache(scratch.Store);
        var key = ContentStore.DigestOf("key"u8);
        File.WriteAllText($"{scratch.Path}/builds/cache/{key.Hex}", text);
        Assert.Null(cache.Find(key));
    }

    static CreatedLayer Create(StoreScratch scratch, LayerContent content, LayerCompression compression)
    {
        using var parent = Files.Open(scratch.Path, OpenFlags.ReadOnly | OpenFlags.Directory);
        return LayerCreation.FromChanges(scratch.Store, parent, "upper", content, compression, CancellationToken.None);
    }

    /// <summary>Nor with what whiteouts, which are only their names, have by chance.</summary>
    static string WithoutRoot(string snapshot) => string.Join('\n', snapshot.Split('\n').Skip(1).Select(line => line.StartsWith("gone ", StringComparison.Ordinal) ? "gone" : line));
}
