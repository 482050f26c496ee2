using System.Diagnostics.CodeAnalysis;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>How a prepared pod is run: what is said at that moment and not when it is prepared.</summary>
public sealed record PodRunOptions
{
    /// <summary>"none" or "host".</summary>
    public string Network { get; init; } = "none";

    public string? Hostname { get; init; }

    public bool Interactive { get; init; }

    public bool Debug { get; init; }

    public bool AllCapabilities { get; init; }

    public bool NoPathRestrictions { get; init; }

    public bool NoSeccomp { get; init; }

    /// <summary>The pod shares the host's PID namespace.</summary>
    public bool HostProcesses { get; init; }

    /// <summary>The contract's flags for apps, which <c>run</c> and <c>app/add</c> take alike.</summary>
    internal IReadOnlyList<string> StageFlags()
    {
        var flags = new List<string>();
        foreach (var (wanted, flag) in (ReadOnlySpan<(bool, string)>)
            [
                (Debug, "--debug"), (AllCapabilities, "--disable-capabilities-restriction"), (NoPathRestrictions, "--disable-paths"), (NoSeccomp, "--disable-seccomp"),
            ])
        {
            if (wanted)
            {
                flags.Add(flag);
            }
        }

        return flags;
    }
}

/// <summary>The last steps of stage0: mounts the apps' root file systems and becomes stage1.</summary>
public static class PodRun
{
    /// <summary>Runs a prepared pod in the place of this process. Returns only by an exception, and then nothing is left of the pod.</summary>
    /// <param name="pod">Prepared and locked; stage1 inherits the lock.</param>
    [DoesNotReturn]
    public static void Run(PodStore pods, Pod pod, PodRunOptions options)
    {
        if (!pod.TryMove(PodPlace.Run))
        {
            throw new PodException($"pod {pod.Uuid} was started or removed by somebody else");
        }

        var mounted = new List<string>();
        try
        {
            Mounts.EnterPrivateNamespace();

            // Opened only now: what was opened before belongs to mounts of the old namespace, which overlayfs does not take (EINVAL).
            using var data = Files.Open(pods.Path, OpenFlags.Path | OpenFlags.Directory);
            using var layers = LayerStore.Open(data);
            var manifest = pod.ReadManifest();
            var hostname = options.Hostname ?? $"nacelle-{pod.Uuid}";
            PodFileSystems.MountShared(pod, mounted);
            foreach (var app in manifest.Apps)
            {
                PodFileSystems.MountApp(pod, layers, app.Name, hostname, options.Network == "host", mounted);
            }

            PodFileSystems.FillVolumes(pod, manifest);
            foreach (var app in manifest.Apps)
            {
                using var rootfs = PodFileSystems.OpenRoot(pod, app.Name);
                AppExecutable.Check(rootfs, app, PodFileSystems.ReadBundle(pod, app.Name));
            }

            bool mutable = PodApps.IsMutable(manifest);
            if (mutable)
            {
                new PodSettings(hostname, options.Network == "host").Write(pod);
            }

            Become(pod, options, hostname, mutable);
        }
        catch
        {
            foreach (var path in Enumerable.Reverse(mounted))
            {
                Mounts.TryDetach(path);
            }

            pods.RemoveDirectory(pod);
            throw;
        }
    }

    /// <summary>Starts stage1 by the contract: the pod directory is the working directory, and the lock's descriptor stays open.</summary>
    [DoesNotReturn]
    static void Become(Pod pod, PodRunOptions options, string hostname, bool mutable)
    {
        var manifest = Stage1.ReadManifest(pod);
        var program = Stage1.EntryPoint(manifest, "run");
        Environment.CurrentDirectory = pod.Path;
        pod.Directory.Inherited = true;
        List<string> arguments = [program, $"--net={options.Network}", $"--hostname={hostname}"];
        if (pod.PrivateUsers is { } users)
        {
            arguments.Add($"--private-users={users.Shift}:{users.Count}");
        }

        foreach (var (wanted, flag) in (ReadOnlySpan<(bool, string)>)
            [
                (options.Interactive, "--interactive"), (options.HostProcesses, "--pid=host"), (mutable, "--mutable"),
            ])
        {
            if (wanted)
            {
                arguments.Add(flag);
            }
        }

        arguments.AddRange(options.StageFlags());
        arguments.Add(pod.Uuid);
        if (manifest.Annotations.Any(one => one.Name == Stage1.SignalsAnnotation && one.Value == "blocked"))
        {
            Signals.BlockAll();
        }

        var failure = Processes.Execute(program, arguments, [.. Processes.Environment(), $"RKT_LOCK_FD={pod.Directory.Number}"]);
        Signals.UnblockAll();
        throw failure;
    }
}
