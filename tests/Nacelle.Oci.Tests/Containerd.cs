using System.Diagnostics;

namespace Nacelle.Oci.Tests;

/// <summary>A containerd of the tests' own, with nacelle-oci for its runtime and an image of busybox.</summary>
public sealed class Containerd : IDisposable
{
    public const string Image = "localhost/busybox:test";

    static int counter;

    readonly Process? daemon;

    public Containerd()
    {
        Assert.SkipUnless(Linux.Processes.IsRoot, "containers need root");
        Assert.SkipUnless(File.Exists("/usr/bin/containerd") && File.Exists("/usr/bin/ctr"), "needs Debian's containerd");
        Path = Directory.CreateTempSubdirectory("nacelle-containerd-").FullName;
        File.WriteAllText($"{Path}/config.toml", $"""
            version = 2
            root = "{Path}/root"
            state = "{Path}/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
            [grpc]
            address = "{Path}/socket"
            """);
        WriteImage();
        daemon = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"exec containerd --config {Path}/config.toml >{Path}/log 2>&1"]));
        OciMachine.Eventually(() => Ctr("version").ExitCode == 0, "containerd answers");
        var imported = Ctr("image", "import", "--snapshotter=native", $"{Path}/image.tar");
        Assert.True(imported.ExitCode == 0, imported.ToString());
    }

    public string Path { get; }

    public static string NewId() => $"nacelle-ctr-{Environment.ProcessId}-{Interlocked.Increment(ref counter)}";

    public Result Ctr(params string[] arguments) => OciMachine.Run("/usr/bin/ctr", [$"--address={Path}/socket", $"--namespace={Namespace}", .. arguments]);

    static string Namespace => $"nacelle-ctr-{Environment.ProcessId}";

    string[] RunOptions(params string[] options) => ["run", $"--runc-binary={OciMachine.Program}", $"--runc-root={Path}/runtime", "--snapshotter=native", .. options];

    public Result Run(string[] options, string id, params string[] command) => Ctr([.. RunOptions(options), Image, id, .. command]);

    public Result OnTerminal(string[] options, string id, string command) => OciMachine.Run(
        "/usr/bin/script", "--quiet", "--return", "--command",
        string.Join(' ', ["ctr", $"--address={Path}/socket", $"--namespace={Namespace}", .. RunOptions(options), Image, id, command]), "/dev/null");

    /// <summary>Starts a container that runs on.</summary>
    public string Start(string script, params string[] options)
    {
        var id = NewId();
        var started = Run(["--detach", "--null-io", .. options], id, "/bin/sh", "-c", script);
        Assert.True(started.ExitCode == 0, started.ToString());
        return id;
    }

    public string Status(string id) => Task(id)[2];

    public int Pid(string id) => int.Parse(Task(id)[1]);

    /// <summary>What containerd lists of it: its name, its process, its state.</summary>
    string[] Task(string id) => Ctr("task", "ls").Output.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Single(columns => columns.Length == 3 && columns[0] == id);

    public void Remove(string id)
    {
        Ctr("task", "delete", "--force", id);
        var removed = Ctr("container", "rm", id);
        Assert.True(removed.ExitCode == 0, removed.ToString());
    }

    /// <summary>An archive as docker save writes it: one layer, its configuration, and a manifest that names both.</summary>
    void WriteImage()
    {
        var root = new Bundle($"{Path}/bundle").Rootfs;
        var image = Directory.CreateDirectory($"{Path}/image").FullName;
        Assert.Equal(0, OciMachine.Run("/bin/tar", "-C", root, "-cf", $"{image}/layer.tar", ".").ExitCode);
        var layer = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes($"{image}/layer.tar")));
        var machine = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 ? "amd64" : "arm64";
        File.WriteAllText($"{image}/config.json", $$$"""
            {"architecture": "{{{machine}}}", "os": "linux", "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]}, "rootfs": {"type": "layers", "diff_ids": ["sha256:{{{layer}}}"]}}
            """);
        File.WriteAllText($"{image}/manifest.json", $$"""[{"Config": "config.json", "RepoTags": ["{{Image}}"], "Layers": ["layer.tar"]}]""");
        Assert.Equal(0, OciMachine.Run("/bin/tar", "-C", image, "-cf", $"{Path}/image.tar", "manifest.json", "config.json", "layer.tar").ExitCode);
    }

    public void Dispose()
    {
        foreach (var id in Ctr("container", "ls", "--quiet").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Ctr("task", "delete", "--force", id);
            Ctr("container", "rm", id);
        }

        if (daemon is not null)
        {
            Linux.Processes.Kill(daemon.Id, Linux.Signal.Terminate);
            daemon.WaitForExit();
            daemon.Dispose();
        }

        OciMachine.Eventually(() => !OciMachine.ProcessesOf(Path).Any(), "all processes of containerd's containers end");
        string[] left =
        [
            .. Directory.Exists($"{Path}/runtime/{Namespace}") ? Directory.GetFileSystemEntries($"{Path}/runtime/{Namespace}") : [],
            .. File.ReadLines("/proc/mounts").Where(line => line.Contains(Path, StringComparison.Ordinal)),
            .. OciMachine.Groups().Where(group => group.Contains($"/{Namespace}/", StringComparison.Ordinal)),
        ];
        foreach (var group in OciMachine.Groups().Where(group => group.EndsWith($"/{Namespace}", StringComparison.Ordinal)).ToList())
        {
            Linux.Files.TryUnlink(Linux.FileDescriptor.WorkingDirectory, group, directory: true);
        }

        OciMachine.Run("/bin/rm", "-rf", "--one-file-system", Path);
        Assert.True(left.Length == 0, $"left behind: {string.Join(", ", left)}");
    }
}
