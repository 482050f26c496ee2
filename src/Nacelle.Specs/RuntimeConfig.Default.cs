namespace Nacelle.Specs;

public sealed partial record RuntimeConfig
{
    /// <summary>What to start from for a bundle whose root file system lies in <c>rootfs</c>: a shell on a terminal, as root, in namespaces of its own.</summary>
    public static RuntimeConfig Default() => new()
    {
        OciVersion = CurrentVersion,
        Process = new RuntimeProcess
        {
            Terminal = true,
            Args = ["sh"],
            Env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            Cwd = "/",
            Capabilities = new RuntimeCapabilities { Bounding = FewCapabilities, Effective = FewCapabilities, Permitted = FewCapabilities },
            Rlimits = [new("RLIMIT_NOFILE", 1024, 1024)],
            NoNewPrivileges = true,
        },
        Root = new RuntimeRoot("rootfs", Readonly: true),
        Hostname = "nacelle",
        Mounts = DefaultMounts,
        Linux = new RuntimeLinux
        {
            Resources = new RuntimeResources { Devices = [new RuntimeDeviceRule { Allow = false, Access = "rwm" }] },
            Namespaces = [new("pid"), new("network"), new("ipc"), new("uts"), new("mount"), new("cgroup")],
            MaskedPaths =
            [
                "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
                "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
            ],
            ReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    };

    /// <summary>The same for a user without privileges, who is root in a user namespace of the container's own and keeps the host's network.</summary>
    /// <remarks>
    /// A user who owns no network namespace may not mount a sysfs of his own, and so the host's is bound; the group of terminals is not among his ids;
    /// and control groups are not his to limit.
    /// </remarks>
    /// <param name="uid">The user on the host.</param>
    /// <param name="gid">The user's group there.</param>
    public static RuntimeConfig DefaultRootless(uint uid, uint gid)
    {
        var config = Default();
        return config with
        {
            Mounts = [.. config.Mounts.Select(WithoutPrivileges)],
            Linux = config.Linux! with
            {
                Resources = null,
                Namespaces = [new("pid"), new("ipc"), new("uts"), new("mount"), new("cgroup"), new("user")],
                UidMappings = [new(0, uid, 1)],
                GidMappings = [new(0, gid, 1)],
            },
        };
    }

    static RuntimeMount WithoutPrivileges(RuntimeMount mount) => mount.Type switch
    {
        "sysfs" => new RuntimeMount { Destination = mount.Destination, Type = "none", Source = "/sys", Options = ["rbind", .. mount.Options] },
        "devpts" => mount with { Options = [.. mount.Options.Where(option => !option.StartsWith("gid=", StringComparison.Ordinal))] },
        _ => mount,
    };

    static readonly string[] FewCapabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

    static readonly RuntimeMount[] DefaultMounts =
    [
        new() { Destination = "/proc", Type = "proc", Source = "proc" },
        new() { Destination = "/dev", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "strictatime", "mode=755", "size=65536k"] },
        new()
        {
            Destination = "/dev/pts", Type = "devpts", Source = "devpts",
            Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        },
        new() { Destination = "/dev/shm", Type = "tmpfs", Source = "shm", Options = ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
        new() { Destination = "/dev/mqueue", Type = "mqueue", Source = "mqueue", Options = ["nosuid", "noexec", "nodev"] },
        new() { Destination = "/sys", Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", "ro"] },
        new() { Destination = "/sys/fs/cgroup", Type = "cgroup", Source = "cgroup", Options = ["nosuid", "noexec", "nodev", "relatime", "ro"] },
    ];
}
