using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Device nodes and links. Who may use them: <see cref="DeviceRuleTests"/>.</summary>
public sealed class DeviceTests
{
    // config-linux.md, "Devices": every device that is listed is there, in its type, with its number, mode and owner, anywhere.
    [Theory]
    [InlineData("""{"type":"c","path":"/dev/fuse","major":10,"minor":229,"fileMode":438,"uid":7,"gid":8}""", "character special file a:e5 666 7:8")]
    [InlineData("""{"type":"u","path":"/dev/deep/unbuffered","major":10,"minor":229,"fileMode":384}""", "character special file a:e5 600 0:0")]
    [InlineData("""{"type":"b","path":"/dev/disk","major":7,"minor":300,"fileMode":416,"gid":6}""", "block special file 7:12c 640 0:6")]
    [InlineData("""{"type":"p","path":"/dev/pipe","fileMode":432}""", "fifo 0:0 660 0:0")]
    [InlineData("""{"type":"c","path":"/mnt/elsewhere","major":10,"minor":229,"fileMode":511}""", "character special file a:e5 777 0:0")]
    public void A_device_is_there_as_it_is_listed(string device, string status)
    {
        using var machine = new OciMachine();
        var node = JsonNode.Parse(device)!;
        var bundle = machine.NewBundle("/bin/stat", "-c", "%F %t:%T %a %u:%g", (string)node["path"]!);
        bundle.AddMount("/mnt", "tmpfs", "tmpfs");
        bundle.Linux["devices"] = new JsonArray(node);
        Assert.Equal(status, machine.OutputOf(bundle));
    }

    // config-linux.md, "Devices", path: a file that is there and is not that device is an error.
    [Theory]
    [InlineData("touch node", "c", 10, 229)]
    [InlineData("mkdir node", "c", 10, 229)]
    [InlineData("ln -s /dev/null node", "c", 1, 3)]
    [InlineData("mknod node c 10 228", "c", 10, 229)]
    [InlineData("mknod node c 10 229", "b", 10, 229)]
    [InlineData("mkfifo node", "c", 10, 229)]
    public void A_file_that_is_not_the_device_is_an_error(string command, string type, int major, int minor)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        Expectations.Succeeds(OciMachine.Run("/bin/sh", "-c", $"cd {bundle.Rootfs}/data && {command}"));
        bundle.Linux["devices"] = new JsonArray(new JsonObject { ["type"] = type, ["path"] = "/data/node", ["major"] = major, ["minor"] = minor });
        machine.Refuses(bundle, "/data/node");
    }

    // config-linux.md, "Devices", path: a file that is that device already is fine.
    [Theory]
    [InlineData("mknod node c 10 229", """{"type":"c","path":"/data/node","major":10,"minor":229}""")]
    [InlineData("mkfifo node", """{"type":"p","path":"/data/node"}""")]
    public void A_file_that_is_the_device_is_taken(string command, string device)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/echo", "runs");
        Expectations.Succeeds(OciMachine.Run("/bin/sh", "-c", $"cd {bundle.Rootfs}/data && {command}"));
        bundle.Linux["devices"] = new JsonArray(JsonNode.Parse(device));
        Assert.Equal("runs", machine.OutputOf(bundle));
    }

    // config-linux.md, "Devices": type and path are required, and numbers for all but pipes.
    [Theory]
    [InlineData("""{"path":"/dev/x","major":1,"minor":3}""", "type")]
    [InlineData("""{"type":"c","major":1,"minor":3}""", "path")]
    [InlineData("""{"type":"x","path":"/dev/x","major":1,"minor":3}""", "type")]
    [InlineData("""{"type":"c","path":"dev/x","major":1,"minor":3}""", "path")]
    [InlineData("""{"type":"c","path":"/dev/x","major":5000,"minor":3}""", "major")]
    public void A_device_that_is_not_well_formed_is_refused(string device, string member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["devices"] = new JsonArray(JsonNode.Parse(device));
        machine.Refuses(bundle, "config.json", $"linux.devices[0].{member}");
    }

    // config-linux.md, "Default Devices": these are there without being listed, and work for every user.
    [Fact]
    public void The_default_devices_are_there_and_work()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell(
            "for d in null zero full random urandom tty; do stat -c '%n %F %t:%T %a' /dev/$d; done; echo x > /dev/null && head -c 3 /dev/zero | wc -c; "
            + "head -c 3 /dev/urandom | wc -c; head -c 3 /dev/random | wc -c; (echo x > /dev/full) 2>&1 | grep -c 'No space'");
        bundle.Process["user"] = JsonNode.Parse("""{"uid":1000,"gid":1000}""");
        Assert.Equal(
            "/dev/null character special file 1:3 666\n/dev/zero character special file 1:5 666\n/dev/full character special file 1:7 666\n"
            + "/dev/random character special file 1:8 666\n/dev/urandom character special file 1:9 666\n/dev/tty character special file 5:0 666\n3\n3\n3\n1",
            machine.OutputOf(bundle));
    }

    // config-linux.md, "Default Devices": in a user namespace that may make no nodes they are there too.
    [Fact]
    public void The_default_devices_are_there_in_a_user_namespace()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("for d in null zero full random urandom tty; do stat -c '%t:%T' /dev/$d; done; echo x > /dev/null && head -c 3 /dev/zero | wc -c");
        bundle.SetUsers();
        Assert.Equal("1:3\n1:5\n1:7\n1:8\n1:9\n5:0\n3", machine.OutputOf(bundle));
    }

    // config-linux.md, "Default Devices": /dev/ptmx is the container's own.
    [Fact]
    public void The_terminal_multiplexer_is_the_containers_own()
    {
        using var machine = new OciMachine();
        Assert.Equal("/dev/pts/ptmx\n5:2", machine.OutputOf(machine.Shell("realpath /dev/ptmx; stat -Lc %t:%T /dev/ptmx; : <> /dev/ptmx")));
    }

    // runtime-linux.md, "Dev symbolic links": the four links are there.
    [Fact]
    public void The_links_to_open_files_are_there()
    {
        using var machine = new OciMachine();
        Assert.Equal(
            "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\nby link",
            machine.OutputOf(machine.Shell("for l in fd stdin stdout stderr; do readlink /dev/$l; done; echo by link > /dev/stdout")));
    }
}
