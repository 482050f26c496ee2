using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Writes an app of a pod manifest as an OCI bundle's config.json, with the isolation that every app gets unless it is told otherwise.</summary>
/// <remarks>The pod's own namespaces (pid, ipc, uts, network, user) are the surroundings that the bundle is run in; it makes only mount and cgroup.</remarks>
static class AppBundle
{
    const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>What may be seen of the host through /proc and /sys and should not: the customary list and rkt's together.</summary>
    static readonly string[] MaskedPaths =
    [
        "/proc/acpi", "/proc/asound", "/proc/config.gz", "/proc/interrupts", "/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/kmem",
        "/proc/latency_stats", "/proc/mem", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
        "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/bpf", "/sys/hypervisor", "/sys/module", "/sys/power",
    ];

    static readonly string[] ReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    /// <param name="pod">The pod directory's final path, as it is when the pod runs.</param>
    public static RuntimeConfig Create(PodManifest manifest, PodApp app, App run, AppUser user, string pod, string uuid)
    {
        var limits = AppLimits.Read(run.Isolators, $"apps[{app.Name}].app.isolators");
        var ofPod = PodLimits.Read(manifest);
        bool root = user.Uid == 0;
        var capabilities = limits.Capabilities.Members().Select(capability => capability.Name()).ToList();
        var seccomp = limits.SeccompIsOff ? null : limits.Seccomp ?? DefaultSeccompProfile.For(limits.Capabilities, Environment.OSVersion.Version, SeccompFilter.Native);
        return new RuntimeConfig
        {
            OciVersion = RuntimeConfig.CurrentVersion,
            Root = new RuntimeRoot("rootfs", app.ReadOnlyRootFileSystem),
            Process = new RuntimeProcess
            {
                Args = run.Exec,
                Cwd = run.WorkingDirectory is { Length: > 0 } directory ? directory : "/",
                Env = Variables(app, run, user),
                User = new RuntimeUser { Uid = user.Uid, Gid = user.Gid, Umask = 0x12, AdditionalGids = user.Groups },
                NoNewPrivileges = limits.NoNewPrivileges || !root,
                OomScoreAdj = limits.OutOfMemoryScore,
                SelinuxLabel = limits.SelinuxLabel ?? ofPod.SelinuxLabel,
                ApparmorProfile = limits.ApparmorProfile,
                Capabilities = new RuntimeCapabilities
                {
                    Bounding = capabilities,
                    Permitted = root ? capabilities : [],
                    Effective = root ? capabilities : [],
                },
            },
            Mounts = [.. Standard(pod), .. AppVolumes.MountsOf(manifest, app, run, pod)],
            Annotations = new Dictionary<string, string> { ["nacelle/pod"] = uuid, ["nacelle/app"] = app.Name.ToString() },
            Linux = new RuntimeLinux
            {
                Namespaces = [new("mount"), new("cgroup")],
                CgroupsPath = $"/nacelle/{uuid}/{app.Name}",
                MaskedPaths = MaskedPaths,
                ReadonlyPaths = ReadonlyPaths,
                Seccomp = seccomp is null ? null : ContainerSeccomp.FromProfile(seccomp),
                Resources = limits.Resources.ToRuntime() with { Devices = [new RuntimeDeviceRule { Allow = false, Access = "rwm" }] },
                Sysctl = ofPod.Parameters.Count > 0 ? ofPod.Parameters : null,
            },
        };
    }

    static IEnumerable<RuntimeMount> Standard(string pod) =>
    [
        new() { Destination = "/proc", Type = "proc", Source = "proc", Options = ["nosuid", "noexec", "nodev"] },
        new() { Destination = "/dev", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"] },
        new()
        {
            Destination = "/dev/pts", Type = "devpts", Source = "devpts",
            Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        },
        new() { Destination = "/dev/shm", Type = "bind", Source = $"{pod}/stage1/rootfs/rkt/shm", Options = ["bind", "nosuid", "noexec", "nodev"] },
        new() { Destination = "/dev/mqueue", Type = "mqueue", Source = "mqueue", Options = ["nosuid", "noexec", "nodev"] },
        new() { Destination = "/sys", Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", "ro"] },
        new() { Destination = "/sys/fs/cgroup", Type = "cgroup", Source = "cgroup", Options = ["nosuid", "noexec", "nodev", "relatime", "ro"] },
    ];

    /// <summary>The image's environment, with what appc promises every app where the image does not say it.</summary>
    /// <remarks>appc 0.8.11, spec/ace.md, "Execution Environment".</remarks>
    static List<string> Variables(PodApp app, App run, AppUser user)
    {
        var environment = run.Environment.Select(variable => $"{variable.Name}={variable.Value}").ToList();
        AddDefault("PATH", DefaultPath);
        AddDefault("HOME", user.Home);
        AddDefault("container", "nacelle");
        AddDefault("AC_APP_NAME", app.Name.ToString());
        return environment;

        void AddDefault(string name, string value)
        {
            if (!run.Environment.Any(variable => variable.Name == name))
            {
                environment.Add($"{name}={value}");
            }
        }
    }
}
