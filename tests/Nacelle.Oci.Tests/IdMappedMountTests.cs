using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Mounts that show the owners of files through a map.</summary>
public sealed class IdMappedMountTests
{
    // config.md, "Linux mount options", idmap, and "POSIX-platform Mounts": a mount's own mappings are used, for users and groups each.
    [Fact]
    public void A_mounts_own_mappings_change_the_owners_that_are_seen()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("stat -c %u:%g /data/file /data/other; touch /data/new; stat -c %u:%g /data/new");
        AddMount(bundle, MakeVolume(machine), "idmap", Mappings(0, 1000, 10), Mappings(0, 2000, 10));
        bundle.Process["user"] = JsonNode.Parse("""{"uid":1000,"gid":2000}""");
        Assert.Equal("1000:2000\n1003:2004\n1000:2000", machine.OutputOf(bundle));
        Assert.Equal("0:0", OciMachine.Run("stat", "-c", "%u:%g", $"{machine.Path}/volume/new").Output.Trim());
    }

    // config.md, "Linux mount options", idmap: without mappings of its own, the mount takes the container's user namespace's.
    [Fact]
    public void An_idmap_without_mappings_takes_the_containers()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("stat -c %u:%g /data/file /data/other");
        bundle.SetUsers();
        AddMount(bundle, MakeVolume(machine), "idmap");
        Assert.Equal("0:0\n3:4", machine.OutputOf(bundle));
    }

    // config.md, "Linux mount options", idmap and ridmap: only the second maps the owners of what is mounted below too.
    [Theory]
    [InlineData("idmap", "1000:2000\n0:0")]
    [InlineData("ridmap", "1000:2000\n1000:2000")]
    public void Only_a_recursive_idmap_holds_for_the_mounts_below(string option, string owners)
    {
        using var machine = new OciMachine();
        using var outer = HostMount.Make($"{machine.Path}/volume").WithFile("file", "");
        using var inner = HostMount.Make($"{outer.Path}/inner").WithFile("file", "");
        var bundle = machine.Shell("stat -c %u:%g /data/file /data/inner/file");
        AddMount(bundle, outer.Path, option, Mappings(0, 1000, 10), Mappings(0, 2000, 10));
        Assert.Equal(owners, machine.OutputOf(bundle));
    }

    // config.md, "Linux mount options", idmap and ridmap: where there is nothing to map by, there is an error.
    [Theory]
    [InlineData("idmap")]
    [InlineData("ridmap")]
    public void An_idmap_without_mappings_and_user_namespace_is_refused(string option)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        AddMount(bundle, MakeVolume(machine), option);
        machine.Refuses(bundle, "mounts[", "options", "idmap");
    }

    // config.md, "POSIX-platform Mounts", uidMappings and gidMappings: each needs the other.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mappings_of_users_and_groups_need_each_other(bool users)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        AddMount(bundle, MakeVolume(machine), "idmap", users ? Mappings(0, 1000, 10) : null, users ? null : Mappings(0, 1000, 10));
        machine.Refuses(bundle, users ? "gidMappings" : "uidMappings", "is missing");
    }

    static string MakeVolume(OciMachine machine)
    {
        // /tmp mostly is one
        Assert.SkipUnless(OperatingSystem.IsOSPlatformVersionAtLeast("linux", 6, 3), "a tmpfs has mapped owners since Linux 6.3");
        var path = Directory.CreateDirectory($"{machine.Path}/volume").FullName;
        Expectations.Succeeds(OciMachine.Run("/bin/sh", "-c", $"cd {path} && touch file other && chown 3:4 other && chmod 777 ."));
        return path;
    }

    static void AddMount(Bundle bundle, string source, string option, JsonArray? users = null, JsonArray? groups = null)
    {
        bundle.AddMount("/data", "none", source, "rbind", option);
        var mount = bundle.Config["mounts"]!.AsArray()[^1]!;
        if (users is not null)
        {
            mount["uidMappings"] = users;
        }

        if (groups is not null)
        {
            mount["gidMappings"] = groups;
        }
    }

    static JsonArray Mappings(uint inside, uint outside, uint size) => new(new JsonObject { ["containerID"] = inside, ["hostID"] = outside, ["size"] = size });
}
