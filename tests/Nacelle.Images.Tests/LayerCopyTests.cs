using Nacelle.Linux;

namespace Nacelle.Images.Tests;

public class LayerCopyTests
{
    const string Tree = """
        mkdir -p tree/bin tree/data; cd tree
        cp /bin/true bin/capable; setcap cap_net_raw=ep bin/capable; ln bin/capable bin/again; ln bin/capable data/third
        chmod 6755 bin; chmod 0500 data; echo x >data/file; setfattr -n user.bytes -v 0x80ff00 data/file; chown 5:6 data/file; chmod 4711 data/file
        ln -s nowhere data/link; chown -h 7:8 data/link; mkfifo data/pipe; mknod data/null c 1 3; chmod 0620 data/null
        truncate -s 10M data/hole; printf mid | dd of=data/hole bs=1 seek=5000000 conv=notrunc status=none
        touch -h -d '2001-02-03 04:05:06.789' data/* bin/* . bin data
        """;

    [Fact]
    public void One_layer_is_copied_as_it_is()
    {
        using var scratch = new LayerScratch();
        scratch.Shell(Tree);
        LayerCopy.Flatten([Source(scratch, "tree")], scratch.Make("copy"), OwnerShift.None);
        Assert.Equal(LayerSnapshot.Of(scratch.Make("tree"), holes: true), LayerSnapshot.Of(scratch.Make("copy"), holes: true));
    }

    [Fact]
    public void Owners_are_shifted_and_capabilities_with_them()
    {
        using var scratch = new LayerScratch();
        scratch.Shell(Tree);
        LayerCopy.Flatten([Source(scratch, "tree")], scratch.Make("copy"), new OwnerShift(200_000, 65536));
        Assert.Equal("200005:200006 4711", scratch.Shell("stat -c '%u:%g %a' copy/data/file").Trim());
        Assert.Equal("200007:200008", scratch.Shell("stat -c %u:%g copy/data/link").Trim());
        Assert.Equal("200000:200000 6755", scratch.Shell("stat -c '%u:%g %a' copy/bin").Trim());
        Assert.Contains("cap_net_raw=ep [rootid=200000]", scratch.Shell("getcap -n copy/bin/again"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_owner_outside_the_range_is_named()
    {
        using var scratch = new LayerScratch();
        scratch.Shell("mkdir -p tree/a; echo x >tree/a/file; chown 70000 tree/a/file");
        var refusal = Assert.Throws<LayerException>(() => LayerCopy.Flatten([Source(scratch, "tree")], scratch.Make("copy"), new OwnerShift(1, 65536)));
        Assert.Equal("layer entry 'a/file' belongs to 70000:0, and the user namespace has only 65536 ids", refusal.Message);
    }

    [Fact]
    public void The_copy_is_a_copy()
    {
        using var scratch = new LayerScratch();
        scratch.Shell("mkdir tree; echo old >tree/file");
        LayerCopy.Flatten([Source(scratch, "tree")], scratch.Make("copy"), OwnerShift.None);
        scratch.Shell("echo new >copy/file");
        Assert.Equal("old\n", Files.TryReadText(scratch.Root, "tree/file"));
    }

    [Fact]
    public void Upper_layers_win_attributes_included()
    {
        using var scratch = new LayerScratch();
        scratch.Shell("""
            mkdir -p one/d two/d; echo 1 >one/d/a; echo 1 >one/d/b; echo 2 >two/d/b; ln one/d/a one/d/c; rm -rf two/d/c; echo 2 >two/d/c
            setfattr -n user.one -v 1 one/d; setfattr -n user.two -v 2 two/d; chmod 700 one/d; chmod 755 two/d; touch -d 2001-01-01 two/d
            """);
        LayerCopy.Flatten([Source(scratch, "one"), Source(scratch, "two")], scratch.Make("copy"), OwnerShift.None);
        Assert.Equal("1\n2\n2\n", scratch.Shell("cat copy/d/a copy/d/b copy/d/c"));
        Assert.Equal(["user.two"], ExtendedAttributes.List(scratch.Make("copy/d")));
        Assert.Equal("755 978307200 1", scratch.Shell("stat -c '%a %Y' copy/d; stat -c %h copy/d/a").Replace('\n', ' ').Trim());
    }

    static LayerSource Source(LayerScratch scratch, string name) => new(scratch.Make(name), false, new HashSet<string>(StringComparer.Ordinal));
}
