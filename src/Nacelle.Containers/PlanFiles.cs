using System.Buffers.Binary;
using Nacelle.Linux;

namespace Nacelle.Containers;

/// <summary>Steps on files, each within a given root: no path of the container's is resolved any other way.</summary>
static class PlanFiles
{
    const ResolveFlags Inside = ResolveFlags.InRoot | ResolveFlags.NoMagicLinks;

    /// <summary>Opens a path that must be there.</summary>
    /// <returns>The cell of the descriptor.</returns>
    public static PlanValue OpenIn(this LaunchPlan plan, PlanValue root, string path, OpenFlags flags = OpenFlags.Path, ResolveFlags resolve = Inside) =>
        plan.CallForResult($"open {path} in the container", SystemCall.openat2, root, plan.Text(Relative(path)), plan.HowToOpen(flags, resolve), 24);

    /// <summary>As <see cref="OpenIn"/>, for who says himself what it is for and where the descriptor goes.</summary>
    public static LaunchPlan.Step OpenInside(this LaunchPlan plan, string operation, PlanValue root, string path, OpenFlags flags) =>
        plan.Call(operation, SystemCall.openat2, root, plan.Text(Relative(path)), plan.HowToOpen(flags, Inside), 24);

    /// <summary>Opens a path if it is there; the cell is negative otherwise.</summary>
    public static (PlanValue Cell, LaunchPlan.Step Step) TryOpenIn(
        this LaunchPlan plan, PlanValue root, string path, ResolveFlags further = ResolveFlags.None)
    {
        var cell = plan.NewCell();
        var step = plan.Call($"open {path} in the container", SystemCall.openat2, root, plan.Text(Relative(path)), plan.HowToOpen(OpenFlags.Path, Inside | further), 24)
            .To(cell).Tolerate(Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES);
        return (cell, step);
    }

    /// <summary>Opens a mount's target and makes it, with its parents, where it is missing.</summary>
    /// <param name="asFile">What is mounted is no directory, and neither must the target be one.</param>
    /// <param name="further">How much narrower the path is resolved than inside the root.</param>
    public static PlanValue OpenTarget(this LaunchPlan plan, PlanValue root, string path, bool asFile, ResolveFlags further = ResolveFlags.None)
    {
        var (target, found) = plan.TryOpenIn(root, path, further);
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var parent = root;
        for (int i = 0; i < parts.Length; i++)
        {
            if (asFile && i == parts.Length - 1)
            {
                plan.Call($"create {path} in the container", SystemCall.mknodat, parent, plan.Text(parts[i]), (uint)FileKind.Regular | 0x1A4).Tolerate(Errno.EEXIST);
            }
            else
            {
                plan.Call($"create directory {path} in the container", SystemCall.mkdirat, parent, plan.Text(parts[i]), 0x1ED).Tolerate(Errno.EEXIST);
            }

            var opened = i == parts.Length - 1 ? target : plan.NewCell();
            plan.Call(
                $"open {path} in the container", SystemCall.openat2, root, plan.Text(string.Join('/', parts[..(i + 1)])),
                plan.HowToOpen(OpenFlags.Path, Inside | further), 24).To(opened);
            if (parent != root)
            {
                plan.Close(parent);
            }

            parent = opened;
        }

        found.SkipToHereOnSuccess();
        return target;
    }

    /// <summary>Writes a text into a file below a directory that nobody else can have changed.</summary>
    public static void WriteTo(this LaunchPlan plan, PlanValue directory, string path, string text, string operation)
    {
        var file = plan.CallForResult(operation, SystemCall.openat, directory, plan.Text(path), (long)(OpenFlags.WriteOnly | OpenFlags.CloseOnExec));
        plan.Call(operation, SystemCall.write, file, plan.Text(text), System.Text.Encoding.UTF8.GetByteCount(text));
        plan.Close(file);
    }

    /// <summary>Sends a descriptor with a few bytes: SCM_RIGHTS of unix(7), the message built in the plan's data with a cell in the descriptor's place.</summary>
    public static void SendDescriptor(this LaunchPlan plan, FileDescriptor socket, PlanValue descriptor, string operation, ReadOnlySpan<byte> text)
    {
        const long SCM_RIGHTS_AND_SOL_SOCKET = (1L << 32) | 1;
        const int F_DUPFD_CLOEXEC = 1030;
        var length = plan.NewCell(20);
        _ = plan.NewCell(SCM_RIGHTS_AND_SOL_SOCKET); // the three cells in a row are the control message
        var content = plan.NewCell();
        plan.Call(operation, SystemCall.fcntl, descriptor, F_DUPFD_CLOEXEC, 3).To(content);
        var payload = plan.Words(plan.Bytes(text), text.Length);
        var message = plan.Words(0, 0, payload, 1, LaunchPlan.AddressOf(length), 24, 0);
        plan.Call(operation, SystemCall.sendmsg, plan.Descriptor(socket), message, 0);
        plan.Close(content);
    }

    /// <summary>Closes all descriptors from <paramref name="first"/> up but the kept ones.</summary>
    public static void CloseAllBut(this LaunchPlan plan, int first, IEnumerable<int> kept)
    {
        foreach (int number in kept.Where(number => number >= first).Distinct().Order())
        {
            if (number > first)
            {
                plan.Call("close descriptors", SystemCall.close_range, first, number - 1, 0);
            }

            first = number + 1;
        }

        plan.Call("close descriptors", SystemCall.close_range, first, uint.MaxValue, 0);
    }

    public static void Close(this LaunchPlan plan, PlanValue descriptor) => plan.Call("close", SystemCall.close, descriptor);

    static PlanValue HowToOpen(this LaunchPlan plan, OpenFlags flags, ResolveFlags resolve)
    {
        Span<byte> how = stackalloc byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(how, (ulong)(flags | OpenFlags.CloseOnExec));
        BinaryPrimitives.WriteUInt64LittleEndian(how[8..], 0);
        BinaryPrimitives.WriteUInt64LittleEndian(how[16..], (ulong)resolve);
        return plan.Bytes(how);
    }

    static string Relative(string path) => path.TrimStart('/') is { Length: > 0 } relative ? relative : ".";
}
