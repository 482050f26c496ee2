using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>What an app may do, in a unit's words: capabilities, system calls, kernel files, limits.</summary>
static class SystemdConfinement
{
    public static void Append(StringBuilder unit, RuntimeConfig config, Stage1Options options)
    {
        var process = config.Process!;
        var linux = config.Linux ?? new RuntimeLinux();
        if (!options.AllCapabilities)
        {
            unit.Append($"CapabilityBoundingSet={string.Join(' ', process.Capabilities?.Bounding ?? [])}\n");
        }

        unit.Append($"NoNewPrivileges={(process.NoNewPrivileges ? "yes" : "no")}\n");
        if (process.OomScoreAdj is { } score)
        {
            unit.Append($"OOMScoreAdjust={score}\n");
        }

        if (linux.Seccomp is { } seccomp && !options.NoSeccomp)
        {
            AppendFilter(unit, seccomp);
        }

        AppendPaths(unit, config, linux, options);
        AppendLimits(unit, linux.Resources ?? new RuntimeResources());
        if (process.SelinuxLabel is not null || process.ApparmorProfile is not null)
        {
            throw new FlavorException("the stage1 systemd cannot run this pod: labels and profiles of security modules are not passed into it");
        }
    }

    /// <remarks>Rules on arguments have no words here: calls that make namespaces, change the personality or open sockets are confined by settings of their own, and any other such rule is refused.</remarks>
    static void AppendFilter(StringBuilder unit, RuntimeSeccomp seccomp)
    {
        bool allows = seccomp.DefaultAction != "SCMP_ACT_ALLOW";
        var wanted = allows ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO";
        var names = seccomp.Syscalls.Where(rule => rule.Action == wanted && rule.Args.Count == 0).SelectMany(rule => rule.Names).ToHashSet(StringComparer.Ordinal);
        var settings = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var name in seccomp.Syscalls.Where(rule => rule.Args.Count > 0 || (allows && rule.Action == "SCMP_ACT_ERRNO")).SelectMany(rule => rule.Names).Where(name => !names.Contains(name)))
        {
            settings.Add(name switch
            {
                "clone" or "clone3" => "RestrictNamespaces=yes",
                "personality" => "LockPersonality=yes",
                "socket" => "RestrictAddressFamilies=~AF_VSOCK",
                _ => throw new FlavorException($"the stage1 systemd cannot run this pod: a filter of system calls that depends on arguments of {name} cannot be said in a unit"),
            });
            names.Add(name);
        }

        unit.Append($"SystemCallErrorNumber={((Errno)(ErrnoOf(seccomp, wanted, allows) ?? (uint)Errno.EPERM)).ToString()}\n");
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            unit.Append($"SystemCallFilter={(allows ? "" : "~")}{name}\n");
        }

        foreach (var setting in settings)
        {
            unit.Append(setting).Append('\n');
        }
    }

    static uint? ErrnoOf(RuntimeSeccomp seccomp, string wanted, bool allows) => allows ? seccomp.DefaultErrnoRet : seccomp.Syscalls.FirstOrDefault(rule => rule.Action == wanted)?.ErrnoRet;

    /// <summary>A plus stands for the unit's root, a minus for a path that may be missing.</summary>
    static void AppendPaths(StringBuilder unit, RuntimeConfig config, RuntimeLinux linux, Stage1Options options)
    {
        foreach (var path in options.NoPathRestrictions ? [] : linux.MaskedPaths)
        {
            unit.Append($"InaccessiblePaths=-+{path}\n");
        }

        foreach (var path in options.NoPathRestrictions ? [] : linux.ReadonlyPaths)
        {
            unit.Append($"ReadOnlyPaths=-+{path}\n");
        }

        if (config.Root is { Readonly: true })
        {
            unit.Append("ReadOnlyPaths=+/\nReadWritePaths=-+/dev\nReadWritePaths=-+/proc\n");
            foreach (var mount in config.Mounts.Where(mount => mount is { Type: "bind" } && !mount.Options.Contains("rro")))
            {
                unit.Append($"ReadWritePaths=-+{SystemdText.Specifier(mount.Destination)}\n");
            }
        }
    }

    static void AppendLimits(StringBuilder unit, RuntimeResources resources)
    {
        unit.Append("DevicePolicy=closed\n");
        if (resources is { Memory: null, Cpu: null, Pids: null, BlockIo: null })
        {
            return;
        }

        if (CgroupLayout.Detect().Kind != CgroupKind.Unified)
        {
            throw new FlavorException("the stage1 systemd cannot run this pod: its limits take control groups of version 2, and this machine has others");
        }

        if (resources.BlockIo is not null)
        {
            throw new FlavorException("the stage1 systemd cannot run this pod: limits of block devices cannot be had");
        }

        if (resources.Memory?.Limit is { } memory)
        {
            unit.Append($"MemoryMax={memory}\nMemorySwapMax=0\n");
        }

        if (resources.Cpu is { Quota: { } quota, Period: { } period })
        {
            unit.Append($"CPUQuota={Math.Max(1, quota * 100 / (long)period)}%\n");
        }

        if (resources.Cpu?.Shares is { } shares)
        {
            unit.Append($"CPUShares={Math.Clamp(shares, 2, 262144)}\n");
        }

        if (resources.Pids?.Limit is { } pids)
        {
            unit.Append($"TasksMax={pids}\n");
        }
    }
}
