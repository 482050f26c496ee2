using Nacelle.Images;
using Nacelle.Linux;

namespace Nacelle.Pods.Tests;

/// <summary>Users are looked up through the layers, as the mounted image would show its files.</summary>
public sealed class AppUserTests : IDisposable
{
    readonly string path = Directory.CreateTempSubdirectory("nacelle-layers-").FullName;
    readonly List<LayerSource> layers = [];

    public void Dispose()
    {
        layers.ForEach(layer => layer.Dispose());
        Directory.Delete(path, recursive: true);
    }

    /// <summary>Adds a layer on top.</summary>
    string Layer(params (string Path, string Content)[] files)
    {
        var root = $"{path}/{layers.Count}";
        foreach (var (name, content) in files.Append((".keep", "")))
        {
            Directory.CreateDirectory(Path.GetDirectoryName($"{root}/{name}")!);
            File.WriteAllText($"{root}/{name}", content);
        }

        layers.Add(new LayerSource(Files.Open(root, OpenFlags.ReadOnly | OpenFlags.Directory), false, new HashSet<string>()));
        return root;
    }

    AppUser Find(string user, string group = "", params uint[] groups) => AppUser.Find(user, group, groups, new LayeredFiles(layers));

    [Fact]
    public void A_name_is_looked_up_with_its_group_its_groups_and_its_home()
    {
        Layer(("etc/passwd", "root:x:0:0::/root:/bin/sh\nredis:x:999:998::/data:/bin/false\n"), ("etc/group", "redis:x:998:\ntape:x:26:other,redis\n"));
        var user = Find("redis", "", 7);
        Assert.Equal((999u, 998u, "/data"), (user.Uid, user.Gid, user.Home));
        Assert.Equal([7, 26], user.Groups);
        Assert.Equal(26u, Find("999", "tape").Gid);
        Assert.Equal((1234u, 0u), (Find("1234").Uid, Find("1234").Gid));
        Assert.Equal((0u, "/root"), (Find("root").Uid, Find("0").Home));
    }

    [Fact]
    public void The_topmost_layer_that_has_a_file_tells()
    {
        Layer(("etc/passwd", "a:x:1:1::/:\n"));
        Layer(("etc/passwd", "a:x:2:2::/:\n"));
        Layer(("unrelated", ""));
        Assert.Equal(2u, Find("a").Uid);
    }

    [Fact]
    public void Links_are_followed_across_layers_and_stay_inside()
    {
        Layer(("real/passwd", "a:x:5:5::/:\n"));
        var top = Layer(("x", ""));
        Directory.CreateDirectory(top + "/etc");
        File.CreateSymbolicLink(top + "/etc/passwd", "../../../../real/passwd");
        Assert.Equal(5u, Find("a").Uid);
    }

    [Fact]
    public void A_whiteout_hides_what_is_below()
    {
        Assert.SkipUnless(Processes.IsRoot, "whiteouts are device nodes");
        Layer(("etc/passwd", "a:x:5:5::/:\n"));
        var top = Layer(("x", ""));
        Directory.CreateDirectory(top + "/etc");
        Files.MakeNode(FileDescriptor.WorkingDirectory, top + "/etc/passwd", (uint)FileKind.CharacterDevice, 0);
        Assert.Contains("no user 'a'", Assert.Throws<PodException>(() => Find("a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_opaque_directory_hides_what_is_below_it_at_any_depth()
    {
        Assert.SkipUnless(Processes.IsRoot, "trusted attributes are root's");
        Layer(("etc/deep/passwd", "a:x:5:5::/:\n"));
        var top = Layer(("etc/deep/other", ""));
        ExtendedAttributes.Set(layers[^1].Root, "etc", "trusted.overlay.opaque", "y"u8);
        Assert.True(Directory.Exists(top + "/etc/deep"));
        Assert.Null(new LayeredFiles(layers).TryRead("/etc/deep/passwd"));
    }

    [Fact]
    public void A_path_stands_for_its_owner()
    {
        Assert.SkipUnless(Processes.IsRoot, "owners are given away");
        var root = Layer(("bin/tool", ""));
        Files.SetOwner(FileDescriptor.WorkingDirectory, root + "/bin/tool", 41, 42);
        var user = Find("/bin/tool", "/bin/tool");
        Assert.Equal((41u, 42u), (user.Uid, user.Gid));
        Assert.Contains("/none", Assert.Throws<PodException>(() => Find("/none")).Message, StringComparison.Ordinal);
    }
}
