using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Supervisor;

/// <summary>What the flags of <c>run</c> change in an app's config.json.</summary>
static class Stage1Bundle
{
    /// <summary>Where an app finds its socket for notifications: the place that systemd-nspawn has made known.</summary>
    const string NotifyPath = "/run/host/notify";

    /// <param name="terminal">The app gets a terminal.</param>
    /// <param name="notify">The path of the app's socket for notifications, or null.</param>
    public static RuntimeConfig Adapt(RuntimeConfig config, Stage1Options options, bool terminal, string? notify)
    {
        var linux = config.Linux ?? new RuntimeLinux();
        var process = config.Process! with { Terminal = terminal };
        if (terminal)
        {
            process = process with
            {
                ConsoleSize = options.Interactive ? TerminalRelay.CallersSize() : null,
                Env = process.Env.Any(variable => variable.StartsWith("TERM=", StringComparison.Ordinal)) ? process.Env
                    : [.. process.Env, $"TERM={Environment.GetEnvironmentVariable("TERM") ?? "xterm"}"],
            };
        }

        if (notify is not null)
        {
            process = process with { Env = [.. process.Env, $"NOTIFY_SOCKET={NotifyPath}"] };
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
        return config with
        {
            Process = process,
            Linux = linux,
            Mounts =
            [
                .. config.Mounts.Select(mount => Adapt(mount, options)),
                .. notify is null ? (ReadOnlySpan<RuntimeMount>)[] : [new RuntimeMount { Destination = NotifyPath, Type = "bind", Source = notify, Options = ["bind"] }],
            ],
        };
    }

    /// <summary>A user namespace may not mount the sysfs of a network that is not its own: there the host's is bound.</summary>
    static RuntimeMount Adapt(RuntimeMount mount, Stage1Options options) =>
        mount.Type == "sysfs" && options is { IsInUserNamespace: true, HostNetwork: true }
            ? mount with { Type = "bind", Source = PodMounts.HostSys, Options = ["rbind", "rro", "nosuid", "noexec", "nodev"] }
        : mount.Type == "sysfs" && options.NoPathRestrictions ? mount with { Options = [.. mount.Options.Where(option => option != "ro")] }
        : mount;
}
