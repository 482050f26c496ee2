using Nacelle.Linux;

namespace Nacelle.Images.Tests;

/// <summary>Whiteouts as the kernel's overlayfs sees them, and as the copy does.</summary>
public class LayerWhiteoutTests
{
    static TarBuilder Base => new TarBuilder().Directory("./")
        .Directory("etc").File("etc/passwd", "base").File("etc/shadow", "base")
        .Directory("opt").File("opt/a", "base").Directory("opt/sub").File("opt/sub/b", "base")
        .Directory("replaced").File("replaced/old", "base")
        .File("file", "base").Symlink("link", "etc/passwd").Directory("var", 0x1C0).File("var/x", "base");

    [Fact]
    public void A_whiteout_hides_a_file_a_directory_or_a_symlink_of_lower_layers() => Check(
        new TarBuilder().Directory("./").Directory("etc").File("etc/.wh.shadow").File(".wh.opt").File(".wh.link").File("etc/new", "top"),
        expected: ". etc etc/new etc/passwd file replaced replaced/old var var/x");

    [Fact]
    public void An_opaque_directory_hides_what_lower_layers_have_in_it_wherever_the_marker_stands() => Check(
        new TarBuilder().Directory("./").Directory("opt").File("opt/before", "1").File("opt/.wh..wh..opq").File("opt/after", "2").Directory("opt/sub").File("opt/sub/c", "3"),
        expected: ". etc etc/passwd etc/shadow file link opt opt/after opt/before opt/sub opt/sub/c replaced replaced/old var var/x");

    [Fact]
    public void Whiteouts_below_an_opaque_directory_do_not_show() => Check(
        new TarBuilder().Directory("./").Directory("opt").File("opt/.wh.a").File("opt/new", "1").File("opt/.wh..wh..opq").Directory("opt/sub").File("opt/sub/.wh.b"),
        expected: ". etc etc/passwd etc/shadow file link opt opt/new opt/sub replaced replaced/old var var/x");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_beside_a_whiteout_of_its_name_is_there_in_either_order(bool whiteoutFirst)
    {
        var top = new TarBuilder().Directory("./");
        top = whiteoutFirst ? top.File(".wh.file").File("file", "top") : top.File("file", "top").File(".wh.file");
        Check(top, expected: ". etc etc/passwd etc/shadow file link opt opt/a opt/sub opt/sub/b replaced replaced/old var var/x");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_directory_beside_a_whiteout_of_its_name_hides_the_lower_one(int order)
    {
        var top = new TarBuilder().Directory("./");
        top = order switch
        {
            0 => top.File(".wh.replaced").Directory("replaced").File("replaced/new", "top"),
            1 => top.Directory("replaced").File("replaced/new", "top").File(".wh.replaced"),
            _ => top.File(".wh.replaced").File("replaced/new", "top").Directory("replaced"),
        };
        Check(top, expected: ". etc etc/passwd etc/shadow file link opt opt/a opt/sub opt/sub/b replaced replaced/new var var/x");
    }

    [Fact]
    public void A_whiteout_below_a_directory_that_no_entry_describes_works() => Check(
        new TarBuilder().Directory("./").File("opt/sub/.wh.b"), ". etc etc/passwd etc/shadow file link opt opt/a opt/sub replaced replaced/old var var/x");

    [Fact]
    public void A_file_over_a_directory_and_a_directory_over_a_file_replace_them() => Check(
        new TarBuilder().Directory("./").File("opt", "file now").Directory("file").File("file/inside", "1"),
        expected: ". etc etc/passwd etc/shadow file file/inside link opt replaced replaced/old var var/x");

    [Fact]
    public void What_aufs_left_behind_is_passed_over() => Check(
        new TarBuilder().Directory("./").Directory(".wh..wh.plnk").File(".wh..wh.plnk/123.456", "x").File(".wh..wh.aufs", "x").File("etc/.wh..wh.orph", "x"),
        expected: ". etc etc/passwd etc/shadow file link opt opt/a opt/sub opt/sub/b replaced replaced/old var var/x");

    [Fact]
    public void An_opaque_root_is_reported_and_hides_everything_in_a_copy()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(Base, "base");
        Assert.True(scratch.Unpack(new TarBuilder().File(".wh..wh..opq").File("only", "top"), "top").RootIsOpaque);
        LayerCopy.Flatten([Source(scratch, "base"), Source(scratch, "top", opaque: true)], scratch.Make("copy"), OwnerShift.None);
        Assert.Equal(["only"], Directories.List(scratch.Root, "copy").Select(entry => entry.Name));
    }

    [Fact]
    public void Unprivileged_overlays_get_their_own_attribute()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().File("opt/.wh..wh..opq"), options: new UnpackOptions { Overlay = OverlayAttributes.User });
        Assert.Equal(["user.overlay.opaque"], ExtendedAttributes.List(scratch.Make("rootfs/opt")));
    }

    [Fact]
    public void A_copy_keeps_the_attributes_of_a_directory_that_the_upper_layer_only_implies()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(Base, "base");
        var top = scratch.Unpack(new TarBuilder().File("var/new", "top"), "top");
        LayerCopy.Flatten([Source(scratch, "base"), Source(scratch, "top", implied: top.ImpliedDirectories)], scratch.Make("copy"), OwnerShift.None);
        Assert.Equal(0x1C0u, Files.Status(scratch.Root, "copy/var").Permissions);
        Assert.Equal(1_600_000_000, Files.Status(scratch.Root, "copy/var").ModificationTime.Seconds);
        Assert.Equal("top", Files.TryReadText(scratch.Root, "copy/var/new"));
    }

    [Fact]
    public void Directories_that_the_upper_layer_only_implies_can_be_restored_for_an_overlay()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().Entry('5', "./", mode: 0x1C9).Directory("tmp", 0x3FF).Directory("tmp/deep", 0x1C0).Directory("root", 0x1C0).Directory("was", 0x1C0).Directory("emptied", 0x1C0).File("emptied/old"), "base");
        var middle = scratch.Unpack(new TarBuilder().File("tmp/deep/x").File("root/y").File(".wh.was").File("emptied/.wh..wh..opq"), "middle");
        var top = scratch.Unpack(new TarBuilder().Directory("root", 0x1E8).File("tmp/z").File("was/new").File("fresh/file"), "top");
        var sources = new[]
        {
            Source(scratch, "base"), Source(scratch, "middle", implied: middle.ImpliedDirectories), Source(scratch, "top", implied: top.ImpliedDirectories),
        };
        LayerCopy.RestoreImplied(sources, scratch.Make("upper"), OwnerShift.None);
        Assert.Equal(
            """
            . 711
            ./emptied 700
            ./tmp 1777
            ./tmp/deep 700
            """,
            scratch.Shell("cd upper; find . | sort | xargs stat -c '%n %a'").Trim());
        LayerCopy.Flatten(sources, scratch.Make("copy"), OwnerShift.None);
        Assert.Equal("700 700 755", string.Join(' ', scratch.Shell("stat -c %a copy/emptied copy/tmp/deep copy/was; ls copy/emptied").Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal(
            """
            merged 711
            merged/emptied 700
            merged/fresh 755
            merged/fresh/file 644
            merged/root 750
            merged/root/y 644
            merged/tmp 1777
            merged/tmp/deep 700
            merged/tmp/deep/x 644
            merged/tmp/z 644
            merged/was 755
            merged/was/new 644
            """,
            scratch.Shell("""
                mkdir merged work
                unshare -m sh -ec 'mount -t overlay overlay -o lowerdir=top:middle:base,upperdir=upper,workdir=work merged; find merged | sort | xargs stat -c "%n %a"'
                """).Trim());
    }

    /// <summary>Unpacks both layers, looks at them through overlayfs and through the copy, and finds the same in both.</summary>
    static void Check(TarBuilder top, string expected)
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(Base, "base");
        scratch.Unpack(top, "top");
        scratch.Shell("""
            mkdir merged seen
            unshare -m sh -ec 'mount -t overlay overlay -o lowerdir=top:base merged; cp -a merged/. seen'
            """);
        LayerCopy.Flatten([Source(scratch, "base"), Source(scratch, "top")], scratch.Make("copy"), OwnerShift.None);
        Assert.Equal(expected, string.Join(' ', scratch.Shell("cd seen; find . | sed 's,^\\./,,' | LC_ALL=C sort").Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal(LayerSnapshot.Of(scratch.Make("seen")), LayerSnapshot.Of(scratch.Make("copy")));
    }

    static LayerSource Source(LayerScratch scratch, string name, bool opaque = false, IEnumerable<string>? implied = null) =>
        new(scratch.Make(name), opaque, (implied ?? []).ToHashSet(StringComparer.Ordinal));
}
