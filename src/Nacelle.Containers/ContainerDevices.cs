using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Device nodes, and the links beside them.</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md, "Default Devices"; runtime-linux.md, "Dev symbolic links".</remarks>
static class ContainerDevices
{
    static readonly RuntimeDevice[] Default =
    [
        Customary("null", 1, 3), Customary("zero", 1, 5), Customary("full", 1, 7), Customary("random", 1, 8), Customary("urandom", 1, 9), Customary("tty", 5, 0),
    ];

    static readonly (string Name, string Target)[] Links =
        [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx")];

    /// <returns>The cell of the terminal's inner side, for a process with a terminal.</returns>
    public static PlanValue? Add(LaunchPlan plan, PlanValue root, RuntimeConfig config, ContainerSetting setting)
    {
        // /dev/ptmx is the link to the container's own, whatever node a configuration that lists the host's devices has for it.
        var wanted = (config.Linux?.Devices ?? []).Where(device => device.Path != "/dev/ptmx").ToList();

        // Where the container gets the host's /dev, or a volume there, it has its devices from there.
        bool isBound = config.Mounts.Any(mount => mount.Destination.TrimEnd('/') == "/dev" && MountOptions.Parse(mount.Options, mount.Type).IsBind);
        bool hasMounts = (ContainerNamespaces.Own(config) & Namespaces.Mount) != 0;
        var umask = plan.CallForResult("set umask", SystemCall.umask, 0);
        if (!isBound && hasMounts)
        {
            foreach (var device in Default)
            {
                if (!wanted.Any(one => one.Path == device.Path))
                {
                    Make(plan, root, device, setting);
                }
            }

            AddLinks(plan, root);
        }

        foreach (var device in wanted)
        {
            Make(plan, root, device, setting);
        }

        var terminal = default(PlanValue?);
        if (config.Process is { Terminal: true } process)
        {
            terminal = ContainerTerminal.Open(
                plan, root, process, setting.ConsoleSocket ?? throw new SpecException("process.terminal", "a terminal needs somebody to hand its other side to"));
            if (!isBound && hasMounts)
            {
                ContainerTerminal.BindConsole(plan, root, terminal.Value);
            }
        }

        plan.Call("set umask", SystemCall.umask, config.Process?.User.Umask is { } wantedMask ? wantedMask : umask);
        return terminal;
    }

    static void AddLinks(LaunchPlan plan, PlanValue root)
    {
        var directory = plan.OpenTarget(root, "/dev", asFile: false);
        foreach (var (name, target) in Links)
        {
            plan.Call($"create symlink /dev/{name}", SystemCall.symlinkat, plan.Text(target), directory, plan.Text(name)).Tolerate(Errno.EEXIST);
        }

        plan.Close(directory);
    }

    static void Make(LaunchPlan plan, PlanValue root, RuntimeDevice device, ContainerSetting setting)
    {
        if (setting.DeviceSource is not null)
        {
            Bind(plan, root, device, setting.DeviceSource);
            return;
        }

        var kind = device.Type switch
        {
            "c" or "u" => FileKind.CharacterDevice,
            "b" => FileKind.BlockDevice,
            "p" => FileKind.Pipe,
            _ => throw new SpecException("linux.devices", $"'{device.Type}' is no type of device: use c, b, u or p"),
        };
        const uint Permissions = 0xFFF; // some engines write a whole st_mode
        int slash = device.Path.LastIndexOf('/');
        var directory = plan.OpenTarget(root, slash <= 0 ? "/" : device.Path[..slash], asFile: false);
        var name = plan.Text(device.Path[(slash + 1)..]);
        var number = kind == FileKind.Pipe ? default : new DeviceNumber(device.Major, device.Minor);
        var made = plan.Call($"create device {device.Path}", SystemCall.mknodat, directory, name, (uint)kind | ((device.FileMode ?? 0x1B6) & Permissions), (long)number.Encoded)
            .Tolerate(Errno.EEXIST);
        Compare(plan, directory, name, device.Path, kind, number);
        made.SkipToHereOnSuccess();
        if ((device.Uid ?? device.Gid) is not null)
        {
            plan.Call($"set owner of {device.Path}", SystemCall.fchownat, directory, name, device.Uid ?? 0, device.Gid ?? 0, Mounts.AT_SYMLINK_NOFOLLOW);
        }

        plan.Close(directory);
    }

    /// <summary>A file that is there already has to be the device that is wanted.</summary>
    static void Compare(LaunchPlan plan, PlanValue directory, PlanValue name, string path, FileKind kind, DeviceNumber number)
    {
        // struct statx, statx(2): the mode is the third quarter of the word at 24, major and minor of the device are the word at 128.
        const int Mode = 24, Device = 128, STATX_BASIC_STATS = 0x7ff;
        var status = plan.Bytes(new byte[256]);
        plan.Call($"look at {path}", SystemCall.statx, directory, name, Mounts.AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, status);
        var operation = $"create device {path} (something else is there)";
        plan.Require(operation, status, Mode, 0xF000UL << 32, (ulong)kind << 32, Errno.EEXIST);
        plan.Require(operation, status, Device, ulong.MaxValue, number.Major | ((ulong)number.Minor << 32), Errno.EEXIST);
    }

    /// <summary>A user namespace may not make device nodes: the host's are bound instead. See user_namespaces(7).</summary>
    static void Bind(LaunchPlan plan, PlanValue root, RuntimeDevice device, string source)
    {
        var node = plan.CloneMount(source + device.Path["/dev".Length..], recursive: false);
        plan.Attach(node, plan.OpenTarget(root, device.Path, asFile: true), device.Path);
    }

    static RuntimeDevice Customary(string name, uint major, uint minor) => new() { Type = "c", Path = $"/dev/{name}", Major = major, Minor = minor };
}
