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

    /// <summary>Opens a path if it is there; the cell is negative otherwise.</summary>
    public static (PlanValue Cell, LaunchPlan.Step Step) TryOpenIn(this LaunchPlan plan, PlanValue root, string path)
    {
        var cell = plan.NewCell();
        var step = plan.Call($"open {path} in the container", SystemCall.openat2, root, plan.Text(Relative(path)), plan.HowToOpen(OpenFlags.Path, Inside), 24)
            .To(cell).Tolerate(Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES);
        return (cell, step);
    }

    /// <summary>Opens a mount's target and makes it, with its parents, where it is missing.</summary>
    /// <param name="asFile">What is mounted is no directory, and neither must the target be one.</param>
    public static PlanValue OpenTarget(this LaunchPlan plan, PlanValue root, string path, bool asFile)
    {
        var (target, found) = plan.TryOpenIn(root, path);
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
                plan.HowToOpen(OpenFlags.Path, Inside), 24).To(opened);
            if (parent != root)
            {
                plan.Close(parent);
            }

            parent = opened;
        }

        found.SkipToHereOnSuccess();
        return target;
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
