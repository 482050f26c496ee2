using System.Text.Json.Nodes;
using Nacelle.Specs;

namespace Nacelle.Oci.Tests;

/// <summary>A bundle: a root file system of busybox, and a config.json that a test changes as it likes.</summary>
public sealed class Bundle
{
    const string Busybox = "/bin/busybox";

    static readonly string[] Applets =
    [
        "sh", "ash", "cat", "ls", "echo", "id", "ps", "sleep", "mount", "umount", "true", "false", "touch", "mkdir", "rm", "ln", "mknod", "stat", "grep", "head", "tail",
        "wc", "dd", "kill", "hostname", "chmod", "chown", "readlink", "sed", "awk", "env", "test", "sync", "mv", "cp", "find", "ip", "tr", "cut", "stty", "tty", "date",
        "cmp", "sysctl", "nice", "umask", "realpath", "seq", "md5sum", "xargs", "setsid", "chroot", "unshare", "nsenter",
    ];

    public Bundle(string path, params string[] command)
    {
        Path = path;
        foreach (var directory in new[] { "bin", "dev", "etc", "proc", "sys", "tmp", "root", "var", "run", "mnt", "data" })
        {
            Directory.CreateDirectory($"{Rootfs}/{directory}");
        }

        File.Copy(Busybox, $"{Rootfs}/bin/busybox");
        foreach (var applet in Applets)
        {
            File.CreateSymbolicLink($"{Rootfs}/bin/{applet}", "busybox");
        }

        File.WriteAllText($"{Rootfs}/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/data:/bin/sh\n");
        File.WriteAllText($"{Rootfs}/etc/group", "root:x:0:\nuser:x:1000:\n");
        Config = JsonNode.Parse(RuntimeConfig.Default().ToJson())!.AsObject();
        Process["terminal"] = false;
        Process.Remove("rlimits");
        Process["args"] = new JsonArray([.. command.Select(word => JsonValue.Create(word))]);
    }

    public string Path { get; }

    public string Rootfs => Path + "/rootfs";

    /// <summary>What <c>nacelle-oci spec</c> writes, without a terminal and limits, with the test's command. Written to the disk by <see cref="Write"/>.</summary>
    public JsonObject Config { get; }

    public JsonObject Process => Config["process"]!.AsObject();

    public JsonObject Linux => Config["linux"]!.AsObject();

    /// <summary>Changes the configuration, and writes it.</summary>
    public Bundle With(Action<Bundle> change)
    {
        change(this);
        return Write();
    }

    /// <summary>Adds members to linux.resources, which is made where it is missing.</summary>
    public JsonObject Resources => Member(Linux, "resources");

    /// <summary>Adds a mount behind the others.</summary>
    public void AddMount(string destination, string type, string source, params string[] options) => Config["mounts"]!.AsArray().Add(new JsonObject
    {
        ["destination"] = destination,
        ["type"] = type,
        ["source"] = source,
        ["options"] = new JsonArray([.. options.Select(option => JsonValue.Create(option))]),
    });

    /// <summary>Adds a namespace, or with a path one to join, in the place of one of that type.</summary>
    public void SetNamespace(string type, string? path = null)
    {
        RemoveNamespace(type);
        var one = new JsonObject { ["type"] = type };
        if (path is not null)
        {
            one["path"] = path;
        }

        Linux["namespaces"]!.AsArray().Add(one);
    }

    public void RemoveNamespace(string type)
    {
        var all = Linux["namespaces"]!.AsArray();
        foreach (var one in all.Where(one => (string)one!["type"]! == type).ToList())
        {
            all.Remove(one);
        }
    }

    /// <summary>A user namespace whose ids from 0 up are those from <paramref name="shift"/> up outside; the rootfs gets such owners.</summary>
    public void SetUsers(uint shift = 100_000, uint count = 65_536)
    {
        SetNamespace("user");
        foreach (var name in new[] { "uidMappings", "gidMappings" })
        {
            Linux[name] = new JsonArray(new JsonObject { ["containerID"] = 0, ["hostID"] = shift, ["size"] = count });
        }

        OciMachine.Run("/bin/chown", "-hR", $"{shift}:{shift}", Rootfs);
    }

    /// <summary>Adds a hook that runs a shell script on the host, or in the container for startContainer.</summary>
    public void AddHook(string kind, string script, int? timeout = null)
    {
        var hook = new JsonObject { ["path"] = "/bin/sh", ["args"] = new JsonArray("sh", "-c", script), ["env"] = new JsonArray("PATH=/usr/sbin:/usr/bin:/sbin:/bin") };
        if (timeout is { } seconds)
        {
            hook["timeout"] = seconds;
        }

        var hooks = Member(Config, "hooks");
        hooks[kind] ??= new JsonArray();
        hooks[kind]!.AsArray().Add(hook);
    }

    public Bundle Write()
    {
        File.WriteAllText($"{Path}/config.json", Config.ToJsonString());
        return this;
    }

    static JsonObject Member(JsonObject parent, string name)
    {
        parent[name] ??= new JsonObject();
        return parent[name]!.AsObject();
    }
}
