using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>The flavor <c>systemd</c>: systemd-nspawn boots a systemd that runs one unit for each app; this process becomes systemd-nspawn.</summary>
/// <remarks>rkt's flavors coreos and host. Both programs are the image's own, with its own libraries and its own loader, so the host needs none.</remarks>
static class SystemdRun
{
    const string Rootfs = "stage1/rootfs";

    static readonly string[] Quiet = ["--log-target=null", "--show-status=0"], Talkative = ["--log-target=console", "--log-level=debug", "--show-status=1"];

    public static int Run(Stage1Options options)
    {
        var manifest = PodDirectory.ReadManifest();
        Refuse(options, manifest);
        var uuid = options.Uuid;
        Files.WriteAll(FileDescriptor.WorkingDirectory, $"{Rootfs}/etc/machine-id", uuid.Replace("-", "", StringComparison.Ordinal) + "\n");
        List<string> binds = [];
        List<RuntimeConfig> configs = [.. manifest.Apps.Select(app => PodDirectory.ReadBundle(app.Name.ToString()))];
        SystemdUsers.Write(configs);
        foreach (var (app, config) in manifest.Apps.Zip(configs))
        {
            binds.AddRange(SystemdVolumes.Binds(app.Name.ToString(), config));
            SystemdUnits.Write(app, config, options);
        }

        SystemdUnits.WriteDefaultTarget(manifest);
        var nspawn = Nspawn();
        IReadOnlyList<string> arguments = [.. nspawn, .. Arguments(options), .. binds, "--", "--default-standard-output=tty", .. options.Debug ? Talkative : Quiet];
        if (options.Debug)
        {
            Messages.Error(string.Join(' ', arguments));
        }

        if (options.HasNetworks)
        {
            EnterNetwork(options, manifest);
        }

        // The contract's other way to tell of PID 1: it is systemd-nspawn's child, and that is what this process becomes.
        Files.WriteAll(FileDescriptor.WorkingDirectory, "ppid", $"{Environment.ProcessId}\n");
        throw Processes.Execute(nspawn[0], arguments, [.. Processes.Environment(), "SYSTEMD_NSPAWN_CONTAINER_SERVICE=rkt"]);
    }

    static void Refuse(Stage1Options options, PodManifest manifest)
    {
        var problem = options.Mutable ? "apps cannot come and go"
            : options.PrivateUsers is not null ? "there are no user namespaces: leave --private-users out"
            : FlavorDemands.OnPod(manifest) is { } isolator ? $"nothing enforces {isolator} for the pod as a whole"
            : manifest.Apps.Select(app => FlavorDemands.OnSupervisor(app, handlers: true)).FirstOrDefault(demand => demand is not null) is { } wanted ? $"{wanted} cannot be had"
            : options.Interactive && manifest.Apps.Count > 1 ? "--interactive is for one app"
            : null;
        if (problem is not null)
        {
            throw new FlavorException($"the stage1 systemd cannot run this pod: {problem}");
        }
    }

    /// <summary>Makes the pod's network namespace, and enters it when the pod is attached to its networks. <c>gc</c> detaches it: nothing of ours outlives the pod.</summary>
    static void EnterNetwork(Stage1Options options, PodManifest manifest)
    {
        using var made = NetworkNamespace.Create();
        new PlannedNetworks(manifest.Apps.Select(app => app.Name.ToString()), options.ResolverOfNetworks).Attach($"/proc/{Environment.ProcessId}/fd/{made.Number}");
        NetworkNamespace.Enter(made);
    }

    /// <summary>The loader of the image, told where the image's libraries are, and its systemd-nspawn.</summary>
    static List<string> Nspawn()
    {
        var root = $"{Environment.CurrentDirectory}/{Rootfs}";
        var loader = Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, $"{Rootfs}/usr/lib64").FirstOrDefault(entry => entry.Name.StartsWith("ld-linux", StringComparison.Ordinal)).Name
            ?? throw new FlavorException("the stage1 systemd has no loader in /usr/lib64: its image is damaged");
        var triples = Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, $"{Rootfs}/usr/lib").Where(entry => entry.Name.Contains("-linux-gnu", StringComparison.Ordinal));
        var libraries = triples.SelectMany(triple => (string[])[$"{root}/usr/lib/{triple.Name}", $"{root}/usr/lib/{triple.Name}/systemd"]);
        return [$"{root}/usr/lib64/{loader}", "--library-path", string.Join(':', libraries), "--argv0", "systemd-nspawn", $"{root}/usr/bin/systemd-nspawn"];
    }

    static IEnumerable<string> Arguments(Stage1Options options)
    {
        bool registers = SystemdHost.HasMachines();
        yield return "--boot";
        yield return "--quiet";
        yield return $"--register={(registers ? "true" : "false")}";
        yield return $"--link-journal={(registers ? "try-guest" : "no")}";
        if (!registers || SystemdHost.IsService())
        {
            yield return "--keep-unit";
        }

        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 })
        {
            yield return "--notify-ready=yes";
        }

        yield return $"--uuid={options.Uuid}";
        yield return $"--machine=rkt-{options.Uuid}";
        yield return $"--directory={Environment.CurrentDirectory}/{Rootfs}";
        if (options.Hostname is { } hostname)
        {
            yield return $"--hostname={hostname}";
        }

        if (options.HasNetworks)
        {
            yield return "--network-namespace-path=/proc/self/ns/net"; // which this process has entered
        }

        else if (!options.HostNetwork)
        {
            yield return "--private-network";
        }

        if (options.AllCapabilities)
        {
            yield return "--capability=all";
        }

        yield return $"--console={(options.Interactive && Terminal.IsTerminal(FileDescriptor.StandardInput) ? "interactive" : "read-only")}";
    }
}
