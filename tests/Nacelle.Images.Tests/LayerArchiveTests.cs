using System.Security.Cryptography;
using System.Text;
using Nacelle.Linux;
using static Nacelle.Images.Tests.LayerUnpacking;

namespace Nacelle.Images.Tests;

/// <summary>What the headers may say, and what damaged archives lead to.</summary>
public class LayerArchiveTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(20)]
    [InlineData(1000)]
    public void The_whole_stream_is_hashed_padding_included(int endBlocks)
    {
        using var scratch = new LayerScratch();
        var archive = new TarBuilder().File("x", "y").Bytes(endBlocks);
        var result = scratch.Unpack(new MemoryStream(archive));
        Assert.Equal(SHA256.HashData(archive), result.DiffId);
        Assert.Equal(archive.Length, result.TarBytes);
        Assert.Equal(1, result.UnpackedBytes);
    }

    [Fact]
    public void An_empty_stream_is_an_empty_layer()
    {
        using var scratch = new LayerScratch();
        Assert.Equal(SHA256.HashData([]), scratch.Unpack(new MemoryStream()).DiffId);
    }

    [Fact]
    public void Every_truncation_that_cuts_an_entry_names_it()
    {
        var archive = new TarBuilder().File("first", "1").Pax(("path", "second")).File("x", new string('x', 2000)).Bytes(0);
        for (int length = 1; length < archive.Length; length++)
        {
            // Once an entry's content is there, all that can be missing is padding and the end marker, which some archivers leave out.
            if (length is > 512 and <= 1024 || length >= archive.Length - 48)
            {
                continue;
            }

            using var scratch = new LayerScratch();
            var refusal = Assert.Throws<LayerException>(() => scratch.Unpack(new MemoryStream(archive, 0, length)));
            Assert.True(length < 512 ? refusal.Entry == "" || refusal.Message.Contains("cut off", StringComparison.Ordinal) : refusal.Entry.Length > 0, $"{length}: {refusal.Message}");
        }
    }

    [Fact]
    public void Something_else_than_a_tar_archive_is_called_so()
    {
        using var scratch = new LayerScratch();
        var refusal = Assert.Throws<LayerException>(() => scratch.Unpack(new MemoryStream(Encoding.ASCII.GetBytes(new string('x', 2000)))));
        Assert.Equal("layer: this is no tar archive: the checksum of the first header is wrong", refusal.Message);
    }

    [Fact]
    public void A_damaged_header_is_found_by_its_checksum()
    {
        var archive = new TarBuilder().File("first").File("second").Bytes();
        archive[512 + 5] ^= 1;
        using var scratch = new LayerScratch();
        Assert.Equal("layer entry 'first' is followed by a header whose checksum is wrong", Assert.Throws<LayerException>(() => scratch.Unpack(new MemoryStream(archive))).Message);
    }

    [Fact]
    public void A_lone_zero_block_before_more_entries_is_refused() =>
        Assert.Contains("one zero block", Refused(new TarBuilder().File("a").Raw(new byte[512]).File("b")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_checksum_over_signed_bytes_is_accepted()
    {
        var header = new TarBuilder().File("latin-\u00e4\u00f6").Bytes(0);
        int sum = header.Select((part, i) => i is >= 148 and < 156 ? (int)' ' : (sbyte)part).Sum();
        TarBuilder.Octal(sum, 8).CopyTo(header, 148);
        using var scratch = new LayerScratch();
        scratch.Unpack(new MemoryStream(header));
        Assert.Equal([KernelString.Decode([.. "latin-"u8, 0xE4, 0xF6])], Directories.List(scratch.Make("rootfs")).Select(entry => entry.Name));
    }

    [Fact]
    public void Numbers_may_be_base_256_and_times_before_1970()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().Entry('0', "x", change: header =>
        {
            new byte[] { 0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFE }.CopyTo(header, 108); // the highest owner
            new byte[] { 0x80, 0, 0, 0, 0, 1, 0, 0 }.CopyTo(header, 116);
            new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE }.CopyTo(header, 136); // -2
        }));
        var status = Files.Status(scratch.Root, "rootfs/x");
        Assert.Equal((uint.MaxValue - 1, 65536u, -2L), (status.Owner, status.Group, status.ModificationTime.Seconds));
    }

    [Theory]
    [InlineData("1234567890.123456789", 1234567890, 123456789)]
    [InlineData("1234567890.5", 1234567890, 500000000)]
    [InlineData("1234567890", 1234567890, 0)]
    [InlineData("-1.25", -2, 750000000)]
    [InlineData("-0.25", -1, 750000000)]
    [InlineData("1.9999999999999", 1, 999999999)]
    [InlineData("-1.0", -1, 0)]
    public void Times_have_fractions(string text, long seconds, long nanoseconds)
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().Pax(("mtime", text)).File("x"));
        Assert.Equal(new Timestamp(seconds, nanoseconds), Files.Status(scratch.Root, "rootfs/x").ModificationTime);
    }

    [Fact]
    public void Global_records_hold_until_an_entry_says_otherwise()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().GlobalPax(("uid", "7"), ("mtime", "5"), ("comment", "x")).File("a").Pax(("uid", "8")).File("b").Pax(("uid", "")).File("c"));
        Assert.Equal([7u, 8u, 0u], new[] { "a", "b", "c" }.Select(name => Files.Status(scratch.Root, $"rootfs/{name}").Owner));
        Assert.Equal(5, Files.Status(scratch.Root, "rootfs/c").ModificationTime.Seconds);
    }

    [Fact]
    public void Hard_links_may_carry_a_size_or_data_or_neither()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder()
            .File("file", "hello")
            .Entry('1', "size-only", link: "file", change: header => TarBuilder.Octal(5, 12).CopyTo(header, 124))
            .Entry('1', "with-data", Encoding.ASCII.GetBytes("hello"), "file")
            .HardLink("neither", "file")
            .Entry('1', "size-at-end", link: "file", change: header => TarBuilder.Octal(5, 12).CopyTo(header, 124)));
        Assert.Equal(5u, Files.Status(scratch.Root, "rootfs/file").Links);
        Assert.Equal("hello", Files.TryReadText(scratch.Root, "rootfs/with-data"));
    }

    [Fact]
    public void Directories_without_an_entry_are_made_and_reported()
    {
        using var scratch = new LayerScratch();
        var result = scratch.Unpack(new TarBuilder().File("a/b/c", "x").Directory("a", 0x1C0));
        Assert.Equal(["", "a/b"], result.ImpliedDirectories.Order(StringComparer.Ordinal));
        Assert.Equal(0x1EDu, Files.Status(scratch.Root, "rootfs/a/b").Permissions);
        Assert.Equal(0x1C0u, Files.Status(scratch.Root, "rootfs/a").Permissions);
    }

    [Fact]
    public void The_attributes_of_the_root_are_its_entrys()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder().Entry('5', "./", mode: 0x1C9, owner: 4, group: 5, time: 77).File("x"));
        var status = Files.Status(scratch.Root, "rootfs");
        Assert.Equal((0x1C9u, 4u, 5u, 77L), (status.Permissions, status.Owner, status.Group, status.ModificationTime.Seconds));
    }

    [Fact]
    public void Later_entries_replace_earlier_ones_of_another_kind()
    {
        using var scratch = new LayerScratch();
        scratch.Unpack(new TarBuilder()
            .File("file-then-directory", "x").Directory("file-then-directory").File("file-then-directory/inside", "1")
            .Directory("directory-then-file").File("directory-then-file/inside").File("directory-then-file", "x")
            .Directory("merged", 0x1C0).File("merged/stays", "x").Directory("merged", 0x1ED)
            .Symlink("symlink-then-pipe", "x").Entry('6', "symlink-then-pipe")
            .Entry('6', "pipe-then-symlink").Symlink("pipe-then-symlink", "target"));
        Assert.Equal("1", Files.TryReadText(scratch.Root, "rootfs/file-then-directory/inside"));
        Assert.Equal("x", Files.TryReadText(scratch.Root, "rootfs/directory-then-file"));
        Assert.Equal("x", Files.TryReadText(scratch.Root, "rootfs/merged/stays"));
        Assert.Equal(0x1EDu, Files.Status(scratch.Root, "rootfs/merged").Permissions);
        Assert.Equal(FileKind.Pipe, Files.Status(scratch.Root, "rootfs/symlink-then-pipe").Kind);
        Assert.Equal("target", Files.ReadLink(scratch.Root, "rootfs/pipe-then-symlink"));
    }

    [Fact]
    public void Device_nodes_are_made_or_left_out_as_asked()
    {
        using var scratch = new LayerScratch();
        Assert.SkipUnless(Environment.UserName == "root", "only root may make device nodes");
        var archive = new TarBuilder().Device('3', "dev/null", 1, 3).Device('4', "dev/disk", 259, 300);
        scratch.Unpack(archive);
        Assert.Equal((FileKind.CharacterDevice, new DeviceNumber(1, 3)), (Files.Status(scratch.Root, "rootfs/dev/null").Kind, Files.Status(scratch.Root, "rootfs/dev/null").DeviceNumber));
        Assert.Equal((FileKind.BlockDevice, new DeviceNumber(259, 300)), (Files.Status(scratch.Root, "rootfs/dev/disk").Kind, Files.Status(scratch.Root, "rootfs/dev/disk").DeviceNumber));

        var result = scratch.Unpack(archive, "without", new UnpackOptions { Devices = DevicePolicy.Ignore });
        Assert.Equal(2, result.DevicesIgnored);
        Assert.Empty(Directories.List(scratch.Root, "without/dev"));
    }

    [Fact]
    public void Owners_are_shifted_into_a_user_namespaces_range()
    {
        using var scratch = new LayerScratch();
        var options = new UnpackOptions { Shift = new OwnerShift(100_000, 65536) };
        scratch.Shell("cp /bin/true capable; setcap cap_net_raw=ep capable; tar --format=pax --xattrs --xattrs-include='*' -cf archive.tar capable");
        using (var archive = System.IO.File.OpenRead($"{scratch.Path}/archive.tar"))
        {
            scratch.Unpack(archive, options: options);
        }

        Assert.Equal(100_000u, Files.Status(scratch.Root, "rootfs/capable").Owner);
        Assert.Contains("cap_net_raw=ep [rootid=100000]", scratch.Shell("getcap -n rootfs/capable"), StringComparison.Ordinal);
        Assert.Contains("has only 65536 ids", Refused(new TarBuilder().Entry('0', "x", owner: 65536), options).Message, StringComparison.Ordinal);
    }
}
