using Nacelle.Linux;

namespace Nacelle.Containers;

/// <summary>Steps that mount, every one by descriptor.</summary>
static class PlanMounts
{
    /// <summary>Makes a new file system, attached nowhere yet.</summary>
    /// <param name="source">The device, or any name; the type's name where nothing is said.</param>
    /// <param name="orBind">What is mounted at this path of the launching process is taken where a new one is refused.</param>
    /// <returns>The cell of the mount's descriptor.</returns>
    public static PlanValue NewFileSystem(
        this LaunchPlan plan, string type, string name, IEnumerable<string> options, MountAttributes attributes, string? source = null, string? orBind = null)
    {
        var mount = plan.NewCell();
        var context = plan.NewCell();
        var opening = plan.Call($"open file system {type} for {name}", SystemCall.fsopen, plan.Text(type), Mounts.FSOPEN_CLOEXEC).To(context);
        plan.Call($"set source of {name}", SystemCall.fsconfig, context, Mounts.FSCONFIG_SET_STRING, plan.Text("source"), plan.Text(source ?? type)).TolerateAll();
        foreach (var option in options)
        {
            int equals = option.IndexOf('=');
            var operation = $"set option {option} of {type} on {name}";
            if (equals < 0)
            {
                plan.Call(operation, SystemCall.fsconfig, context, Mounts.FSCONFIG_SET_FLAG, plan.Text(option));
            }
            else
            {
                plan.Call(
                    operation, SystemCall.fsconfig, context, Mounts.FSCONFIG_SET_STRING, plan.Text(option[..equals]), plan.Text(option[(equals + 1)..]));
            }
        }

        var creation = plan.Call($"mount {type} on {name}", SystemCall.fsconfig, context, Mounts.FSCONFIG_CMD_CREATE);
        var mounting = plan.Call($"mount {type} on {name}", SystemCall.fsmount, context, Mounts.FSMOUNT_CLOEXEC, (long)attributes).To(mount);
        var end = plan.Call("close", SystemCall.close, context);
        if (orBind is not null)
        {
            foreach (var step in (ReadOnlySpan<LaunchPlan.Step>)[opening, creation, mounting])
            {
                step.Tolerate(Errno.EPERM, Errno.EACCES).SkipToHereOnFailure();
            }

            plan.Call(
                $"bind {orBind} on {name}", SystemCall.open_tree, -100, plan.Text(orBind),
                Mounts.OPEN_TREE_CLONE | Mounts.OPEN_TREE_CLOEXEC | Mounts.AT_RECURSIVE).To(mount);
            plan.SetAttributes(mount, name, attributes, recursive: true);
            end.SkipToHereOnSuccess();
        }

        return mount;
    }

    /// <summary>A copy of the mount that a path of the launching process leads to, attached nowhere yet.</summary>
    public static PlanValue CloneMount(this LaunchPlan plan, string source, bool recursive) =>
        plan.CallForResult(
            $"bind {source}", SystemCall.open_tree, -100, plan.Text(source),
            Mounts.OPEN_TREE_CLONE | Mounts.OPEN_TREE_CLOEXEC | (recursive ? Mounts.AT_RECURSIVE : 0));

    /// <param name="path">Below the descriptor; empty for what it refers to itself.</param>
    public static PlanValue CloneMount(this LaunchPlan plan, PlanValue descriptor, string name, bool recursive, string path = "") =>
        plan.CallForResult(
            $"bind {name}", SystemCall.open_tree, descriptor, plan.Text(path),
            Mounts.OPEN_TREE_CLONE | Mounts.OPEN_TREE_CLOEXEC | Mounts.AT_EMPTY_PATH | (recursive ? Mounts.AT_RECURSIVE : 0));

    public static void SetAttributes(
        this LaunchPlan plan, PlanValue mount, string name, MountAttributes set, MountAttributes clear = 0, MountPropagation propagation = 0, bool recursive = false)
    {
        Span<byte> attributes = stackalloc byte[32];
        Mounts.EncodeAttributes(attributes, set, clear, propagation);
        plan.Call(
            $"set mount attributes of {name}", SystemCall.mount_setattr, mount, plan.Text(""),
            Mounts.AT_EMPTY_PATH | (recursive ? Mounts.AT_RECURSIVE : 0), plan.Bytes(attributes), 32);
    }

    /// <summary>Attaches a mount to the target and closes both descriptors.</summary>
    public static LaunchPlan.Step Attach(this LaunchPlan plan, PlanValue mount, PlanValue target, string name)
    {
        var step = plan.Call(
            $"mount on {name}", SystemCall.move_mount, mount, plan.Text(""), target, plan.Text(""),
            Mounts.MOVE_MOUNT_F_EMPTY_PATH | Mounts.MOVE_MOUNT_T_EMPTY_PATH);
        plan.Close(mount);
        plan.Close(target);
        return step;
    }
}
