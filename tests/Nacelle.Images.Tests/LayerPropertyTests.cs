using CsCheck;
using Nacelle.Linux;

namespace Nacelle.Images.Tests;

/// <summary>Generated archives come out as a simple model says; damaged ones do no harm.</summary>
public class LayerPropertyTests
{
    sealed record Item(char Type, string Path, int Seed, int Mode);

    /// <summary>Few names, so that entries collide, replace each other and lie below each other.</summary>
    static readonly Gen<string> Name = Gen.OneOf("a", "b", "c", "d\u00e9", "e f", ".wh.a", ".wh..wh..opq", ".", "..", "");
    static readonly Gen<string> PlainName = Gen.OneOf("a", "b", "c", "long-" + new string('n', 120));
    static readonly Gen<string> PlainPath = PlainName.Array[1, 4].Select(parts => string.Join('/', parts));

    static readonly Gen<Item[]> PlainItems =
        Gen.Select(Gen.OneOf('0', '0', '5', '2', '6'), PlainPath, Gen.Int[0, 3000], Gen.OneOf(0x1A4, 0x1ED, 0x100, 0x9ED, 0x3FF), (type, path, seed, mode) => new Item(type, path, seed, mode))
            .Array[0, 25];

    [Fact]
    public void Generated_archives_unpack_as_GNU_tar_unpacks_them() => PlainItems.Sample(
        items =>
        {
            using var scratch = new LayerScratch();
            var archive = Consistent(items);
            System.IO.File.WriteAllBytes($"{scratch.Path}/archive.tar", archive);
            var expected = scratch.Make("expected");
            scratch.Shell("tar --numeric-owner --same-owner -p --delay-directory-restore -C expected -xf archive.tar");
            scratch.Unpack(new MemoryStream(archive));
            Assert.Equal(LayerSnapshot.Of(expected), LayerSnapshot.Of(scratch.Make("rootfs")));
        },
        iter: 60);

    /// <summary>Any entries in any order, links and whiteouts among them: unpacked or refused, but nothing leaves the target.</summary>
    [Fact]
    public void Nothing_leaves_the_target() =>
        Gen.Select(
            Gen.OneOf('0', '0', '1', '2', '2', '5', '6', '3').Array[1, 30],
            Name.Array[1, 4].Select(parts => string.Join('/', parts)).Array[30],
            Gen.OneOf("a", "b", "..", "../..", "/", "/etc", "../bait", "a/b", "b/../../bait", ".", "c/a", "../bait/file").Array[30]).Sample(
            (types, paths, targets) =>
            {
                var builder = new TarBuilder();
                for (int i = 0; i < types.Length; i++)
                {
                    builder.Entry(types[i], paths[i], types[i] == '0' ? [1, 2, 3] : [], types[i] is '1' or '2' ? targets[i] : "");
                }

                Harmless(builder.Bytes());
            },
            iter: 400);

    [Fact]
    public void Damaged_archives_are_unpacked_or_refused_and_do_no_harm()
    {
        var seed = new TarBuilder()
            .Directory("d").File("d/file", "content").Symlink("d/link", "../../bait").HardLink("hard", "d/file").Pax(("path", "d/pax"), ("mtime", "1.5"), ("SCHILY.xattr.user.x", "\u0080\u00ff"))
            .File("x", "pax").GnuLongName("d/" + new string('l', 150)).File("y", "long")
            .Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "100000"), ("GNU.sparse.name", "sparse"))
            .Entry('0', "z", [.. "1\n50000\n3\n"u8, .. new byte[502], 1, 2, 3]).File("d/.wh.gone").Entry('6', "pipe").Bytes();

        // Headers with a wrong checksum end the story at once, so it is mended after the damage, most of the time.
        Gen.Select(Gen.Select(Gen.Int[0, seed.Length - 1], Gen.Byte).Array[1, 6], Gen.Int[0, 9]).Sample(
            (changes, mend) =>
            {
                var damaged = (byte[])seed.Clone();
                foreach (var (at, value) in changes)
                {
                    damaged[at] = value;
                }

                for (int at = 0; mend > 0 && at < damaged.Length; at += 512)
                {
                    if (damaged.AsSpan(at + 257, 5).SequenceEqual("ustar"u8))
                    {
                        "        "u8.CopyTo(damaged.AsSpan(at + 148));
                        TarBuilder.Octal(damaged.Skip(at).Take(512).Sum(part => part), 8).CopyTo(damaged, at + 148);
                    }
                }

                Harmless(damaged);
            },
            iter: 1500);
    }

    static void Harmless(byte[] archive)
    {
        using var scratch = new LayerScratch();
        var bait = scratch.Make("bait");
        Files.WriteAll(bait, "file", "safe");
        Files.SetTimes(bait, "file", new Timestamp(1, 1), new Timestamp(1, 1));
        Files.SetTimes(scratch.Root, "bait", new Timestamp(1, 1), new Timestamp(1, 1));
        var before = LayerSnapshot.Of(bait);
        var etc = Files.Status(FileDescriptor.WorkingDirectory, "/etc").ModificationTime;
        try
        {
            scratch.Unpack(new MemoryStream(archive), options: new UnpackOptions { Limits = new UnpackLimits { UnpackedBytes = 1 << 20, Entries = 1000 } });
        }
        catch (LayerException refusal)
        {
            Assert.DoesNotContain('\n', refusal.Message);
        }

        Assert.Equal(before, LayerSnapshot.Of(bait));
        Assert.Equal(etc, Files.Status(FileDescriptor.WorkingDirectory, "/etc").ModificationTime);
        Assert.Equal(["bait", "rootfs"], Directories.List(scratch.Root).Select(entry => entry.Name).Order(StringComparer.Ordinal));
    }

    /// <summary>An archive on which GNU tar and we mean to agree: nothing lies below what is no directory, and every directory has an entry.</summary>
    static byte[] Consistent(Item[] items)
    {
        var builder = new TarBuilder().Directory("./");
        var kinds = new Dictionary<string, char>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            var parts = item.Path.Split('/');
            bool blocked = Enumerable.Range(1, parts.Length - 1).Any(count => kinds.GetValueOrDefault(string.Join('/', parts[..count]), '5') != '5')
                || (kinds.GetValueOrDefault(item.Path) is var old && old != 0 && (old == '5' || item.Type == '5') && old != item.Type);
            if (blocked)
            {
                continue;
            }

            for (int count = 1; count < parts.Length; count++)
            {
                if (kinds.TryAdd(string.Join('/', parts[..count]), '5'))
                {
                    Add(builder, '5', string.Join('/', parts[..count]), 0, 0x1ED);
                }
            }

            kinds[item.Path] = item.Type;
            Add(builder, item.Type, item.Path, item.Seed, item.Mode);
        }

        return builder.Bytes();
    }

    static void Add(TarBuilder builder, char type, string path, int seed, int mode)
    {
        if (path.Length > 99)
        {
            builder = seed % 2 == 0 ? builder.GnuLongName(path) : builder.Pax(("path", path), ("mtime", $"{seed}.25"));
            path = "short";
        }

        var content = new byte[type == '0' ? seed : 0];
        new Random(seed).NextBytes(content);
        builder.Entry(type, path, content, type == '2' ? "target" : "", mode, seed % 7, seed % 5, 1_500_000_000 + seed);
    }
}
