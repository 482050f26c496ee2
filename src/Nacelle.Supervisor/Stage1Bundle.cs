using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Supervisor;

/// <summary>What the flags of <c>run</c> change in an app's config.json.</summary>
static class Stage1Bundle
{
    public static RuntimeConfig Adapt(RuntimeConfig config, Stage1Options options, bool terminal)
    {
        var linux = config.Linux ?? new RuntimeLinux();
        var process = config.Process! with { Terminal = terminal };
        if (terminal)
        {
            process = process with
            {
                ConsoleSize = TerminalRelay.CallersSize(),
                Env = process.Env.Any(variable => variable.StartsWith("TERM=", StringComparison.Ordinal)) ? process.Env
                    : [.. process.Env, $"TERM={Environment.GetEnvironmentVariable("TERM") ?? "xterm"}"],
            };
        }

        if (options.AllCapabilities)
        {
            var all = CapabilitySet.Bounding().Members().Select(capability => capability.Name()).ToList();
            process = process with { Capabilities = new RuntimeCapabilities { Bounding = all, Effective = all, Permitted = all } };
        }

        linux = linux with
        {
            Seccomp = options.NoSeccomp ? null : linux.Seccomp,
            MaskedPaths = options.NoPathRestrictions ? [] : linux.MaskedPaths,
            ReadonlyPaths = options.NoPathRestrictions ? [] : linux.ReadonlyPaths,
        };
        return config with { Process = process, Linux = linux, Mounts = [.. config.Mounts.Select(mount => Adapt(mount, options))] };
    }

    /// <summary>A user namespace may not mount the sysfs of a network that is not its own: there the host's is bound.</summary>
    static RuntimeMount Adapt(RuntimeMount mount, Stage1Options options) =>
        mount.Type == "sysfs" && options is { PrivateUsers: not null, HostNetwork: true }
            ? mount with { Type = "bind", Source = Stage1Mounts.HostSys, Options = ["rbind", "rro", "nosuid", "noexec", "nodev"] }
        : mount.Type == "sysfs" && options.NoPathRestrictions ? mount with { Options = [.. mount.Options.Where(option => option != "ro")] }
        : mount;
}
