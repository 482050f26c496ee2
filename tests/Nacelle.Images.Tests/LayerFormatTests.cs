namespace Nacelle.Images.Tests;

public class LayerFormatTests
{
    const string Tree = """
        mkdir -p tree/usr/bin tree/etc tree/var/empty tree/deep/aaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbb/ccccccccccccc
        cd tree
        echo hello >etc/motd; head -c 70000 /dev/urandom >usr/bin/tool; : >etc/empty; head -c 512 /dev/zero >etc/block
        chmod 4755 usr/bin/tool; chmod 1777 var/empty; chmod 0400 etc/motd; chmod 2750 etc
        ln -s ../usr/bin/tool etc/link; ln -s /absolute etc/absolute
        ln usr/bin/tool usr/bin/tool2
        chown 1000:1001 etc/motd; chown -h 12:13 etc/link; chown 33:33 var
        touch -d '2001-02-03 04:05:06' etc/motd usr; touch -h -d '1999-02-03 04:05:06' etc/link
        mkfifo var/pipe
        cd ..
        """;

    const string Long = """
        cd tree/deep/aaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbb/ccccccccccccc
        echo long >dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
        ln -s eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee longlink
        ln d* hard
        mkdir "$(printf 'latin1-\344')"; echo umlaut >"$(printf 'latin1-\344/\377\200')"
        cd - >/dev/null
        """;

    [Theory]
    [InlineData("v7", "--numeric-owner", Tree)]
    [InlineData("oldgnu", "", Tree + "\n" + Long)]
    [InlineData("gnu", "", Tree + "\n" + Long)]
    [InlineData("ustar", "", Tree)]
    [InlineData("pax", "", Tree + "\n" + Long)]
    [InlineData("pax", "--xattrs --xattrs-include=* --pax-option=globexthdr.name=g,comment=hello", Tree + "\n" + Long)]
    public void What_GNU_tar_packs_unpacks_as_GNU_tar_unpacks_it(string format, string flags, string tree)
    {
        using var scratch = new LayerScratch();
        if (format == "v7")
        {
            tree = tree.Replace("mkfifo var/pipe", "", StringComparison.Ordinal);
        }

        scratch.Shell($"{tree}\ntar --format={format} {flags} -C tree -cf archive.tar .");
        SameAsGnuTar(scratch);
    }

    [Theory]
    [InlineData("ustar", Tree)]
    [InlineData("pax", Tree + "\n" + Long)]
    [InlineData("gnutar", Tree + "\n" + Long)]
    [InlineData("v7tar", Tree)]
    public void What_bsdtar_packs_unpacks_as_GNU_tar_unpacks_it(string format, string tree)
    {
        using var scratch = new LayerScratch();
        Assert.SkipUnless(System.IO.File.Exists("/usr/bin/bsdtar"), "bsdtar is not installed");
        if (format == "v7tar")
        {
            tree = tree.Replace("mkfifo var/pipe", "", StringComparison.Ordinal);
        }

        scratch.Shell($"{tree}\nbsdtar --format={format} -C tree -cf archive.tar .");
        SameAsGnuTar(scratch);
    }

    [Theory]
    [InlineData("--format=gnu --sparse")]
    [InlineData("--format=oldgnu --sparse")]
    [InlineData("--format=pax --sparse --sparse-version=0.0")]
    [InlineData("--format=pax --sparse --sparse-version=0.1")]
    [InlineData("--format=pax --sparse --sparse-version=1.0")]
    public void Sparse_files_come_out_with_their_holes(string flags)
    {
        using var scratch = new LayerScratch();
        scratch.Shell($$"""
            mkdir tree; cd tree
            truncate -s 100M only-hole
            for i in $(seq 0 40); do head -c 5000 /dev/urandom | dd of=many bs=64k seek=$i conv=notrunc status=none; done
            printf start >tail; truncate -s 3M tail
            truncate -s 3M head; printf end >>head
            cd ..
            tar {{flags}} -C tree -cf archive.tar .
            """);
        SameAsGnuTar(scratch, holes: true);
        Assert.InRange(new FileInfo($"{scratch.Path}/archive.tar").Length, 1, 5_000_000);
    }

    [Fact]
    public void Attributes_keep_every_byte()
    {
        using var scratch = new LayerScratch();
        scratch.Shell("""
            mkdir tree; cd tree; echo x >file; mkdir directory; ln -s x link; cp /bin/true capable
            setfattr -n user.bytes -v 0x0080ff0a3d00fe file
            setfattr -n user.bytes -v 0x80ff directory
            setfattr -n user.empty file
            setfattr -h -n trusted.bytes -v 0xff80 link
            setcap cap_net_raw,cap_net_bind_service+ep capable; chown 5:6 file
            cd ..
            tar --format=pax --xattrs --xattrs-include='*' -C tree -cf archive.tar .
            """);
        SameAsGnuTar(scratch);
        Assert.Contains("cap_net_bind_service,cap_net_raw=ep", scratch.Shell("getcap rootfs/capable"), StringComparison.Ordinal);
        Assert.Contains("user.bytes=0080FF0A3D00FE", LayerSnapshot.Of(scratch.Make("rootfs")), StringComparison.Ordinal);
    }

    [Fact]
    public void Attributes_as_libarchive_writes_them_are_understood()
    {
        using var scratch = new LayerScratch();
        Assert.SkipUnless(System.IO.File.Exists("/usr/bin/bsdtar"), "bsdtar is not installed");
        scratch.Shell("""
            mkdir tree; cd tree; echo x >file; setfattr -n user.bytes -v 0x0080ff0a3d00fe file; cd ..
            bsdtar --format=pax --xattrs -C tree -cf archive.tar .
            """);
        Assert.Contains("LIBARCHIVE.xattr.user.bytes=", System.Text.Encoding.Latin1.GetString(System.IO.File.ReadAllBytes($"{scratch.Path}/archive.tar")), StringComparison.Ordinal);
        SameAsGnuTar(scratch);
    }

    static void SameAsGnuTar(LayerScratch scratch, bool holes = false)
    {
        var expected = scratch.Make("expected");
        scratch.Shell("tar --numeric-owner --same-owner -p --xattrs --xattrs-include='*' --delay-directory-restore -C expected -xf archive.tar");
        using var archive = System.IO.File.OpenRead($"{scratch.Path}/archive.tar");
        var result = scratch.Unpack(archive);
        Assert.Equal(LayerSnapshot.Of(expected, holes), LayerSnapshot.Of(scratch.Make("rootfs"), holes));
        Assert.Equal(scratch.Shell("sha256sum <archive.tar")[..64], Convert.ToHexStringLower(result.DiffId));
        Assert.Equal(archive.Length, result.TarBytes);
    }
}
