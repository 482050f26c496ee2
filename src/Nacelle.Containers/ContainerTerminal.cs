using System.Buffers.Binary;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The terminal of a container's process.</summary>
static class ContainerTerminal
{
    const uint TIOCSPTLCK = 0x40045431, TIOCGPTPEER = 0x5441, TIOCSCTTY = 0x540E, TIOCSWINSZ = 0x5414;

    /// <summary>Opens a pty of the container's own devpts, makes it the controlling terminal, and sends its outer side away.</summary>
    /// <returns>The cell of the inner side.</returns>
    public static PlanValue Open(LaunchPlan plan, PlanValue root, RuntimeProcess process, FileDescriptor console)
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
        plan.SendDescriptor(console, outer, "hand over the terminal", "/dev/ptmx"u8);
        plan.Close(outer);
        return inner;
    }

    /// <summary>Makes /dev/console the container's terminal.</summary>
    /// <remarks>
    /// CVE-2025-52565: the mount is cloned from the terminal's own descriptor, never from a path that could lead elsewhere; and it goes nowhere else, such as over
    /// a kernel file, because the image has a link for a console.
    /// </remarks>
    public static void BindConsole(LaunchPlan plan, PlanValue root, PlanValue terminal)
    {
        plan.Attach(plan.CloneMount(terminal, "/dev/console", recursive: false), plan.OpenTarget(root, "dev/console", asFile: true, ResolveFlags.NoSymlinks), "/dev/console");
    }
}
