namespace Nacelle.Oci.Tests;

/// <summary>Debian's podman with nacelle-oci for its runtime, storage of its own, and an image of busybox. Ends with nothing left, or fails.</summary>
public sealed class Podman : IDisposable
{
    public const string Image = "localhost/busybox:test";

    readonly HashSet<string> groupsBefore = [.. Groups()];

    public Podman()
    {
        Assert.SkipUnless(Linux.Processes.IsRoot, "containers need root");
        Assert.SkipUnless(File.Exists("/usr/bin/podman"), "needs Debian's podman");

        // A tmpfs, on which overlays work also where /tmp is itself one; podman wants lower-case paths.
        Path = $"/dev/shm/nacelle-podman-{Environment.ProcessId}";
        Directory.CreateDirectory(Path);
        var root = new Bundle($"{Path}/image").Rootfs;
        File.WriteAllText($"{Path}/containers.conf", """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
            netns = "none"
            log_driver = "k8s-file"
            [engine]
            events_logger = "file"
            lock_type = "file"
            """);
        File.WriteAllText(Runtime, $"#!/bin/sh\nexec {OciMachine.Program} --root={Path}/state \"$@\"\n");
        File.SetUnixFileMode(Runtime, (UnixFileMode)0x1ED);
        Assert.Equal(0, OciMachine.Run("/bin/tar", "-C", root, "-cf", $"{Path}/image.tar", ".").ExitCode);
        var imported = Run("import", $"{Path}/image.tar", Image);
        Assert.True(imported.ExitCode == 0, imported.ToString());
    }

    public string Path { get; }

    /// <summary>nacelle-oci with a state directory of its own: podman forgets its own --runtime-flag when it cleans up.</summary>
    public string Runtime => $"{Path}/nacelle-oci";

    /// <summary>What is before podman's own words.</summary>
    public string[] Command => ["podman", .. Storage, "--cgroup-manager=cgroupfs", $"--runtime={Runtime}", $"--tmpdir={Path}/tmp"];

    public string[] Storage => [$"--root={Path}/root", $"--runroot={Path}/run"];

    public Result Run(params string[] arguments) => InEnvironment([.. Command, .. arguments]);

    /// <summary>A container that is removed when it has ended.</summary>
    public Result Container(string[] options, params string[] command) => Run(["run", "--rm", .. options, Image, .. command]);

    /// <summary>A shell in one.</summary>
    public Result Shell(string script, params string[] options) => Container(options, "/bin/sh", "-c", script);

    /// <summary>A container that runs on.</summary>
    public string Start(string script, params string[] options)
    {
        var started = Run(["run", "--detach", .. options, Image, "/bin/sh", "-c", script]);
        Assert.True(started.ExitCode == 0, started.ToString());
        return started.Output.Trim();
    }

    /// <summary>On a terminal, which util-linux's script(1) holds.</summary>
    public Result OnTerminal(params string[] arguments) => InEnvironment(
        "script", "--quiet", "--return", "--command", string.Join(' ', Command.Concat(arguments).Select(word => $"'{word}'")), "/dev/null");

    /// <summary>What podman says must be there, without the line's end.</summary>
    public string Say(params string[] arguments)
    {
        var result = Run(arguments);
        Assert.True(result.ExitCode == 0, $"podman {string.Join(' ', arguments)}: {result}");
        return result.Output.Trim();
    }

    public Result InEnvironment(params string[] command) => OciMachine.Run("/usr/bin/env", [$"CONTAINERS_CONF={Path}/containers.conf", .. command]);

    public void Dispose()
    {
        Run("pod", "rm", "--force", "--all");
        Run("rm", "--force", "--all", "--time=0");
        OciMachine.Run("/bin/umount", $"{Path}/root/overlay"); // which podman leaves to the next one
        OciMachine.Happens(() => !OciMachine.ProcessesOf(Path).Any());
        string[] left =
        [
            .. OciMachine.ProcessesOf(Path).Select(process => $"{process}: {File.ReadAllText($"{process}/cmdline").Replace('\0', ' ')}"),
            .. Directory.Exists($"{Path}/state") ? Directory.GetFileSystemEntries($"{Path}/state") : [],
            .. File.ReadLines("/proc/mounts").Where(line => line.Contains(Path, StringComparison.Ordinal)),
            .. Groups().Where(group => !groupsBefore.Contains(group) && File.ReadAllText($"{group}/cgroup.procs").Length == 0),
        ];
        OciMachine.Run("/bin/rm", "-rf", "--one-file-system", Path);
        Assert.True(left.Length == 0, $"left behind: {string.Join(", ", left)}");
    }

    static IEnumerable<string> Groups() => OciMachine.Groups().Where(group => group.Contains("/libpod", StringComparison.Ordinal))
        .SelectMany(group => Directory.Exists(group) ? Directory.GetDirectories(group) : []).Where(group => group.Contains("/libpod-", StringComparison.Ordinal));
}

/// <summary>The podman that all tests of this collection share.</summary>
[CollectionDefinition(Name)]
public sealed class PodmanCollection : ICollectionFixture<Podman>
{
    public const string Name = "podman";
}
