using System.Text;
using Nacelle.Linux;
using static Nacelle.Images.Tests.LayerUnpacking;

namespace Nacelle.Images.Tests;

/// <summary>Archives that want out, or too much.</summary>
public class LayerHostileTests
{
    [Theory]
    [InlineData("../outside")]
    [InlineData("a/../../outside")]
    [InlineData("a/..")]
    [InlineData("/../outside")]
    [InlineData("..")]
    [InlineData("a/../b")]
    public void An_entry_that_climbs_is_refused_by_name(string name)
    {
        var refusal = Refused(new TarBuilder().Directory("a").File(name, "x"));
        Assert.Equal($"layer entry '{name}' climbs out of its directory by '..'", refusal.Message);
    }

    [Fact]
    public void An_absolute_path_counts_from_the_layers_root()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().File("/nacelle-absolute", "x").File("///etc//./motd", "y"));
        Assert.Equal("x", Files.TryReadText(scratch.Root, "rootfs/nacelle-absolute"));
        Assert.Equal("y", Files.TryReadText(scratch.Root, "rootfs/etc/motd"));
        Assert.False(System.IO.File.Exists("/nacelle-absolute"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/etc")]
    [InlineData("..")]
    [InlineData("../../../../../../../../../../etc")]
    [InlineData("loop/..")]
    public void A_parent_that_is_a_symlink_leads_nowhere_but_into_the_layer(string target)
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().Symlink("loop", ".").Symlink("link", target).File("link/nacelle-probe", "x"));
        var expected = target.Contains("etc", StringComparison.Ordinal) ? "rootfs/etc/nacelle-probe" : "rootfs/nacelle-probe";
        Assert.Equal("x", Files.TryReadText(scratch.Root, expected));
        Assert.False(System.IO.File.Exists("/etc/nacelle-probe") || System.IO.File.Exists("/nacelle-probe"));
    }

    [Fact]
    public void Symlinks_that_lead_in_circles_are_refused_by_name()
    {
        var refusal = Refused(new TarBuilder().Symlink("a", "b").Symlink("b", "a").File("a/file"));
        Assert.Equal("layer entry 'a/file' lies below 'a', which leads through too many symlinks", refusal.Message);
    }

    [Fact]
    public void A_file_through_a_symlink_replaces_the_symlink_and_not_its_target()
    {
        using var scratch = new LayerScratch();
        scratch.Shell("echo safe >outside");
        scratch.Unpack(new TarBuilder().Symlink("link", scratch.Path + "/outside").File("link", "evil"));
        Assert.Equal("safe\n", Files.TryReadText(scratch.Root, "outside"));
        Assert.Equal("evil", Files.TryReadText(scratch.Root, "rootfs/link"));
    }

    [Fact]
    public void A_directory_swapped_for_a_symlink_by_a_later_entry_does_not_lead_out()
    {
        using var scratch = new LayerScratch();
        scratch.Make("outside");
        scratch.Unpack(new TarBuilder().Directory("d").File("d/one", "1").Symlink("d", "../outside").File("d/two", "2"));
        Assert.Equal("", scratch.Shell("ls outside"));
        Assert.Equal("2", Files.TryReadText(scratch.Root, "rootfs/outside/two"));
    }

    [Fact]
    public void A_symlink_swapped_for_a_directory_is_not_followed_any_more()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().Directory("real").Symlink("d", "real").File("d/one", "1").Directory("d").File("d/two", "2"));
        Assert.Equal("one", scratch.Shell("ls rootfs/real").Trim());
        Assert.Equal("two", scratch.Shell("ls rootfs/d").Trim());
    }

    [Theory]
    [InlineData("../../../etc/passwd", "climbs out of the layer")]
    [InlineData("/etc/passwd", "is not in this layer")]
    [InlineData("missing", "is not in this layer")]
    [InlineData("missing/file", "is not in this layer")]
    [InlineData("escape/passwd", "is not in this layer")]
    [InlineData("", "is not in this layer")]
    [InlineData("directory", "is a directory")]
    [InlineData("gone", "is not in this layer")]
    public void A_hard_link_to_anything_but_a_file_of_the_layer_is_refused_by_name(string target, string rule)
    {
        var refusal = Refused(new TarBuilder().Directory("directory").Symlink("escape", "/etc").File(".wh.gone").HardLink("link", target));
        Assert.Equal($"layer entry 'link' is a hard link to '{target}', which {rule}", refusal.Message);
    }

    [Fact]
    public void A_hard_link_to_a_symlink_links_the_symlink_itself()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().Symlink("symlink", "/etc/passwd").HardLink("link", "symlink"));
        Assert.Equal("/etc/passwd", Files.ReadLink(scratch.Root, "rootfs/link"));
        Assert.Equal(2u, Files.Status(scratch.Root, "rootfs/link").Links);
    }

    [Fact]
    public void A_hard_link_to_itself_changes_nothing()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().File("file", "x").HardLink("./file", "file"));
        Assert.Equal("x", Files.TryReadText(scratch.Root, "rootfs/file"));
    }

    [Fact]
    public void A_later_file_of_the_same_name_does_not_write_through_a_hard_link()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().File("first", "old").HardLink("second", "first").File("second", "new"));
        Assert.Equal("old", Files.TryReadText(scratch.Root, "rootfs/first"));
        Assert.Equal("new", Files.TryReadText(scratch.Root, "rootfs/second"));
    }

    [Fact]
    public void A_character_device_that_overlayfs_takes_for_a_whiteout_is_refused_by_name() => Assert.Equal(
        "layer entry 'dev/x' is a character device 0/0, which overlayfs would take for a whiteout", Refused(new TarBuilder().Device('3', "dev/x", 0, 0)).Message);

    [Theory]
    [InlineData("trusted.overlay.redirect")]
    [InlineData("trusted.overlay.metacopy")]
    [InlineData("user.overlay.whiteout")]
    [InlineData("trusted.overlay.opaque")]
    public void Attributes_that_steer_overlayfs_are_refused_by_name(string attribute)
    {
        foreach (char type in "0256")
        {
            var refusal = Refused(new TarBuilder().Pax(($"SCHILY.xattr.{attribute}", "/etc")).Entry(type, "name", link: "x"));
            Assert.Equal($"layer entry 'name' has the extended attribute '{attribute}', which only overlayfs may set", refusal.Message);
        }
    }

    [Theory]
    [InlineData(".wh.")]
    [InlineData("a/.wh..")]
    [InlineData(".wh...")]
    [InlineData(".wh.a/b")]
    public void A_whiteout_of_nothing_is_refused_by_name(string name) =>
        Assert.Equal($"layer entry '{name}' is a whiteout of nothing that could exist", Refused(new TarBuilder().File(name)).Message);

    [Fact]
    public void A_claimed_size_beyond_the_limit_is_refused_before_anything_is_written()
    {
        var options = new UnpackOptions { Limits = new UnpackLimits { UnpackedBytes = 1000 } };
        Assert.Equal(
            "layer entry 'big' has 8589934592 bytes, which takes the layer over its limit of 1000",
            Refused(new TarBuilder().Pax(("size", "8589934592")).File("big"), options).Message);
        Assert.Equal("big2", Refused(new TarBuilder().File("a", new string('x', 600)).File("big2", new string('x', 600)), options).Entry);
    }

    [Fact]
    public void A_sparse_bomb_counts_with_its_holes()
    {
        var archive = new TarBuilder()
            .Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "9223372036854775807"), ("GNU.sparse.name", "bomb"))
            .Entry('0', "x", [.. "0\n"u8, .. new byte[510]]);
        Assert.Contains("'bomb' has 9223372036854775807 bytes", Refused(archive).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10,5,5,5")] // backwards
    [InlineData("0,20,10,5")] // overlapping
    [InlineData("0,4")] // not all of the data
    [InlineData("0,5,95,10")] // past the end
    [InlineData("1,-5")]
    [InlineData("0,5,7")]
    [InlineData("9223372036854775807,9223372036854775807")]
    public void A_map_of_holes_that_contradicts_itself_is_refused(string map) =>
        Refused(new TarBuilder().Pax(("GNU.sparse.size", "100"), ("GNU.sparse.map", map)).File("x", "hello"));

    [Fact]
    public void Too_many_entries_are_refused_implied_directories_included()
    {
        var options = new UnpackOptions { Limits = new UnpackLimits { Entries = 10 } };
        Assert.Equal("layer entry 'a/b/c/d/e/f/g/h/i/j' is one too many: a layer has at most 10 entries", Refused(
            new TarBuilder().File("1").File("a/b/c/d/e/f/g/h/i/j"), options).Message);
    }

    [Fact]
    public void Too_deep_a_tree_is_refused_also_when_symlinks_hide_the_depth()
    {
        var archive = new TarBuilder();
        string deep = string.Concat(Enumerable.Repeat("d/", 40));
        for (int i = 0; i < 10; i++)
        {
            archive.Directory($"{(i == 0 ? "" : $"s{i - 1}/")}{deep}").Symlink($"s{i}", $"{(i == 0 ? "" : $"s{i - 1}/")}{deep}");
        }

        Assert.EndsWith("lies deeper than 256 directories", Refused(archive).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_no_file_can_have_are_refused()
    {
        Assert.Contains("a component of 256 bytes", Refused(new TarBuilder().GnuLongName(new string('x', 256)).File("x")).Message, StringComparison.Ordinal);
        Assert.Contains("too long", Refused(new TarBuilder().GnuLongName(string.Concat(Enumerable.Repeat("dir/", 1100))).File("x")).Message, StringComparison.Ordinal);
        Assert.Contains("has a NUL in it", Refused(new TarBuilder().Pax(("path", "a\0b")).File("x")).Message, StringComparison.Ordinal);
        Assert.Contains("has a NUL in it", Refused(new TarBuilder().Pax(("linkpath", "a\0b")).Symlink("x", "y")).Message, StringComparison.Ordinal);
        Assert.Equal("layer entry 'x' is a symlink to nothing", Refused(new TarBuilder().Symlink("x", "")).Message);
    }

    [Fact]
    public void Extended_headers_are_bounded()
    {
        Assert.Contains("at most 1048576 are read", Refused(new TarBuilder().Pax(("comment", new string('x', 1 << 20))).File("x")).Message, StringComparison.Ordinal);
        Assert.Contains("at most 1048576 are read", Refused(new TarBuilder().GnuLongName(new string('x', 1 << 20)).File("x")).Message, StringComparison.Ordinal);
        Assert.Contains("more than 256 extended attributes", Refused(
            new TarBuilder().Pax([.. Enumerable.Range(0, 300).Select(i => ($"SCHILY.xattr.user.a{i}", "x"))]).File("x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_that_never_ends_is_refused()
    {
        var options = new UnpackOptions { Limits = new UnpackLimits { TarBytes = 10_000 } };
        Assert.Equal("layer: the archive is longer than 10000 bytes", Refused(new TarBuilder().File("x").Raw(new byte[20_000]), options).Message);
    }

    [Theory]
    [InlineData("4294967295")]
    [InlineData("99999999999")]
    public void Owners_that_no_file_can_have_are_refused(string owner) =>
        Assert.Contains($"has the owner {owner}", Refused(new TarBuilder().Pax(("uid", owner)).File("x")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("path")]
    [InlineData("size")]
    [InlineData("SCHILY.xattr.user.x")]
    public void A_global_header_may_not_describe_single_files(string keyword) =>
        Assert.Contains("which describes single files", Refused(new TarBuilder().GlobalPax((keyword, "1")).File("x")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_message_is_one_line_whatever_the_name_is()
    {
        var refusal = Refused(new TarBuilder().File("../a\nb\u001b[31m" + new string('x', 60)));
        Assert.StartsWith("layer entry '../a\\u000ab\\u001b[31mxxx", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public void Unknown_types_are_refused_by_name()
    {
        Assert.Equal("layer entry 'x' has the type 'Q', which no layer may have", Refused(new TarBuilder().Entry('Q', "x")).Message);
        Assert.Contains("another volume", Refused(new TarBuilder().Entry('M', "x")).Message, StringComparison.Ordinal);
    }
}
