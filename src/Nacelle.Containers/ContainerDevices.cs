using System.Buffers.Binary;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Device nodes, the links beside them, and the terminal.</summary>
/// <remarks>OCI runtime specification 1.2, config-linux.md, "Default Devices".</remarks>
static class ContainerDevices
{
    const uint TIOCSPTLCK = 0x40045431, TIOCGPTPEER = 0x5441, TIOCSCTTY = 0x540E, TIOCSWINSZ = 0x5414;

    static readonly (string Name, uint Major, uint Minor)[] Default =
        [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

    static readonly (string Name, string Target)[] Links =
        [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx")];

    /// <returns>The cell of the terminal's inner side, for a process with a terminal.</returns>
    public static PlanValue? Add(LaunchPlan plan, PlanValue root, RuntimeConfig config, ContainerSetting setting)
    {
        var wanted = config.Linux?.Devices ?? [];
        bool ownDev = config.Mounts.Any(mount => mount.Destination == "/dev" && mount.Type == "tmpfs");
        if (ownDev)
        {
            plan.Call("set umask", SystemCall.umask, 0);
            var directory = plan.OpenIn(root, "dev");
            foreach (var (name, major, minor) in Default)
            {
                if (!wanted.Any(device => device.Path == $"/dev/{name}"))
                {
                    Make(plan, root, directory, name, FileKind.CharacterDevice, new DeviceNumber(major, minor), 0x1B6, setting);
                }
            }

            foreach (var (name, target) in Links)
            {
                plan.Call($"create symlink /dev/{name}", SystemCall.symlinkat, plan.Text(target), directory, plan.Text(name)).Tolerate(Errno.EEXIST);
            }

            plan.Close(directory);
        }

        foreach (var device in wanted)
        {
            AddWanted(plan, root, device, setting);
        }

        var terminal = default(PlanValue?);
        if (config.Process is { Terminal: true } process)
        {
            terminal = OpenTerminal(
                plan, root, process, setting.ConsoleSocket ?? throw new SpecException("process.terminal", "a terminal needs somebody to hand its other side to"));
            if (ownDev)
            {
                BindConsole(plan, root, terminal.Value);
            }
        }

        plan.Call("set umask", SystemCall.umask, config.Process?.User.Umask ?? 0x12);
        return terminal;
    }

    static void AddWanted(LaunchPlan plan, PlanValue root, RuntimeDevice device, ContainerSetting setting)
    {
        var kind = device.Type switch
        {
            "c" or "u" => FileKind.CharacterDevice,
            "b" => FileKind.BlockDevice,
            "p" => FileKind.Pipe,
            _ => throw new SpecException("linux.devices", $"'{device.Type}' is no type of device: use c, b, u or p"),
        };
        int slash = device.Path.LastIndexOf('/');
        var directory = plan.OpenTarget(root, slash <= 0 ? "/" : device.Path[..slash], asFile: false);
        var name = device.Path[(slash + 1)..];
        Make(plan, root, directory, name, kind, new DeviceNumber(device.Major, device.Minor), device.FileMode ?? 0x1B6, setting);
        if (setting.DeviceSource is null && (device.Uid ?? device.Gid) is not null)
        {
            plan.Call($"set owner of {device.Path}", SystemCall.fchownat, directory, plan.Text(name), device.Uid ?? 0, device.Gid ?? 0, Mounts.AT_SYMLINK_NOFOLLOW);
        }

        plan.Close(directory);
    }

    static void Make(
        LaunchPlan plan, PlanValue root, PlanValue directory, string name, FileKind kind, DeviceNumber device, uint mode, ContainerSetting setting)
    {
        if (setting.DeviceSource is null)
        {
            plan.Call($"create device {name}", SystemCall.mknodat, directory, plan.Text(name), (uint)kind | mode, (long)device.Encoded).Tolerate(Errno.EEXIST);
            return;
        }

        // A user namespace may not make device nodes: the host's are bound instead. See user_namespaces(7).
        plan.Call($"create device {name}", SystemCall.mknodat, directory, plan.Text(name), (uint)FileKind.Regular | 0x1B6).Tolerate(Errno.EEXIST);
        var node = plan.CloneMount($"{setting.DeviceSource}/{name}", recursive: false);
        plan.Attach(node, plan.OpenIn(root, $"dev/{name}"), $"/dev/{name}");
    }

    /// <summary>Opens a pty of the container's own devpts, makes it the controlling terminal, and sends its outer side away.</summary>
    /// <returns>The cell of the inner side.</returns>
    public static PlanValue OpenTerminal(LaunchPlan plan, PlanValue root, RuntimeProcess process, FileDescriptor console)
    {
        var outer = plan.OpenIn(root, "dev/pts/ptmx", OpenFlags.ReadWrite | OpenFlags.NoControllingTerminal);
        plan.Call("unlock the terminal", SystemCall.ioctl, outer, TIOCSPTLCK, plan.Bytes(stackalloc byte[4]));
        var inner = plan.CallForResult(
            "open the terminal", SystemCall.ioctl, outer, TIOCGPTPEER, (long)(OpenFlags.ReadWrite | OpenFlags.NoControllingTerminal | OpenFlags.CloseOnExec));
        if (process.ConsoleSize is { } size)
        {
            Span<byte> window = stackalloc byte[8];
            BinaryPrimitives.WriteUInt16LittleEndian(window, (ushort)size.Height);
            BinaryPrimitives.WriteUInt16LittleEndian(window[2..], (ushort)size.Width);
            plan.Call("set the terminal's size", SystemCall.ioctl, inner, TIOCSWINSZ, plan.Bytes(window));
        }

        plan.Call("set owner of the terminal", SystemCall.fchown, inner, process.User.Uid, -1);
        plan.Call("take the terminal", SystemCall.ioctl, inner, TIOCSCTTY, 0);
        SendDescriptor(plan, console, outer);
        plan.Close(outer);
        return inner;
    }

    /// <summary>Makes /dev/console the container's terminal.</summary>
    /// <remarks>CVE-2025-52565: the mount is cloned from the terminal's own descriptor, never from a path that could lead elsewhere.</remarks>
    static void BindConsole(LaunchPlan plan, PlanValue root, PlanValue terminal)
    {
        plan.Call("create /dev/console", SystemCall.mknodat, root, plan.Text("dev/console"), (uint)FileKind.Regular | 0x180).Tolerate(Errno.EEXIST);
        plan.Attach(plan.CloneMount(terminal, "/dev/console", recursive: false), plan.OpenIn(root, "dev/console"), "/dev/console");
    }

    /// <summary>Sends a descriptor over a socket: SCM_RIGHTS of unix(7), the message built in the plan's data with a cell in the descriptor's place.</summary>
    static void SendDescriptor(LaunchPlan plan, FileDescriptor socket, PlanValue descriptor)
    {
        const long SCM_RIGHTS_AND_SOL_SOCKET = (1L << 32) | 1;
        var length = plan.NewCell(20);
        var typeAndLevel = plan.NewCell(SCM_RIGHTS_AND_SOL_SOCKET);
        var content = plan.NewCell();
        _ = typeAndLevel;
        plan.Call("hand over the terminal", SystemCall.fcntl, descriptor, 1030, 3).To(content);
        var payload = plan.Words(plan.Text("t"), 1);
        var message = plan.Words(0, 0, payload, 1, LaunchPlan.AddressOf(length), 24, 0);
        plan.Call("hand over the terminal", SystemCall.sendmsg, plan.Descriptor(socket), message, 0);
        plan.Close(content);
    }
}
