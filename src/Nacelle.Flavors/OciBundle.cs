using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>An app's bundle as the external runtime gets it: with the pod's namespaces to join, and what the flags of <c>run</c> change.</summary>
static class OciBundle
{
    /// <summary>What older runtimes know; all that we write is in it.</summary>
    const string Version = "1.0.2";

    static readonly string[] Shared = ["pid", "ipc", "uts", "network"];

    /// <param name="init">The pod's PID 1, whose namespaces are joined.</param>
    /// <returns>The bundle's directory.</returns>
    public static string Write(string app, RuntimeConfig config, Stage1Options options, int init, bool terminal)
    {
        var adapted = Adapt(config, options, init, terminal) with { Root = config.Root! with { Path = $"{PodDirectory.Bundle(app)}/rootfs" } };
        var directory = $"{OciRuntime.Directory}/{app}";
        Files.EnsureDirectory(FileDescriptor.WorkingDirectory, directory);
        Files.WriteAll(FileDescriptor.WorkingDirectory, $"{directory}/config.json", adapted.ToJson());
        return $"{Environment.CurrentDirectory}/{directory}";
    }

    static RuntimeConfig Adapt(RuntimeConfig config, Stage1Options options, int init, bool terminal)
    {
        var linux = config.Linux ?? new RuntimeLinux();
        var shared = Shared.Where(type => type != "network" || !options.HostNetwork).Select(type => new RuntimeNamespace(type, $"/proc/{init}/ns/{(type == "network" ? "net" : type)}"));
        var process = config.Process! with { Terminal = terminal };
        if (options.AllCapabilities)
        {
            var all = CapabilitySet.Bounding().Members().Select(capability => capability.Name()).ToList();
            process = process with { Capabilities = new RuntimeCapabilities { Bounding = all, Effective = all, Permitted = all } };
        }

        return config with
        {
            OciVersion = Version,
            Process = process,
            Mounts = [.. config.Mounts.Select(mount => mount.Type == "sysfs" && options.NoPathRestrictions ? mount with { Options = [.. mount.Options.Where(option => option != "ro")] } : mount)],
            Linux = linux with
            {
                Namespaces = [.. shared, .. linux.Namespaces],
                Seccomp = options.NoSeccomp ? null : linux.Seccomp,
                MaskedPaths = options.NoPathRestrictions ? [] : linux.MaskedPaths,
                ReadonlyPaths = options.NoPathRestrictions ? [] : linux.ReadonlyPaths,
            },
        };
    }
}
