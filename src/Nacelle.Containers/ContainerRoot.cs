using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The container's root: attached, entered, and cut off from the old one.</summary>
static class ContainerRoot
{
    /// <summary>Makes the rootfs a mount of its own, which pivot_root(2) asks for, and opens it.</summary>
    /// <param name="below">A mount that is attached there first, so that it goes with the old root.</param>
    public static PlanValue Attach(LaunchPlan plan, ContainerSetting setting, PlanValue? below)
    {
        // Nothing of what follows reaches the namespace that this one was copied from.
        plan.Call("make mounts slaves", SystemCall.mount, 0, plan.Text("/"), 0, (long)(MountFlags.Slave | MountFlags.Recursive));
        var tree = setting.Sources is { } sources ? plan.Descriptor(sources.Root) : plan.CloneMount(setting.RootPath, recursive: true);
        var target = plan.NewCell();
        const long Flags = (long)(OpenFlags.Path | OpenFlags.CloseOnExec);
        var opened = plan.Call($"open {setting.RootPath}", SystemCall.openat, -100, plan.Text(setting.RootPath), Flags).To(target);
        if (setting.Sources is not null)
        {
            // The container's root user may not be able to walk there; then any directory does, as the whole tree is about to go.
            opened.Tolerate(Errno.EACCES);
            plan.Call("open /sys", SystemCall.openat, -100, plan.Text("/sys"), Flags).To(target);
            opened.SkipToHereOnSuccess();
        }

        if (below is { } first)
        {
            Move(plan, first, target, setting.RootPath);
        }

        Move(plan, tree, target, setting.RootPath);
        plan.Close(target);
        return tree;
    }

    static void Move(LaunchPlan plan, PlanValue mount, PlanValue target, string name) =>
        plan.Call(
            $"mount on {name}", SystemCall.move_mount, mount, plan.Text(""), target, plan.Text(""), Mounts.MOVE_MOUNT_F_EMPTY_PATH | Mounts.MOVE_MOUNT_T_EMPTY_PATH);

    /// <summary>Opens the rootfs of a container that stays in its maker's mount namespace.</summary>
    public static PlanValue Open(LaunchPlan plan, ContainerSetting setting) =>
        plan.CallForResult(
            $"open {setting.RootPath}", SystemCall.openat, -100, plan.Text(setting.RootPath), (long)(OpenFlags.Path | OpenFlags.Directory | OpenFlags.CloseOnExec));

    /// <summary>Makes the container's root the process's, and lets go of the old one.</summary>
    public static void Enter(LaunchPlan plan, PlanValue root, RuntimeConfig config, ContainerSetting setting)
    {
        if (config.Root is { Readonly: true })
        {
            plan.SetAttributes(root, "the container's root", MountAttributes.ReadOnly);
        }

        plan.Call("enter the container's root", SystemCall.fchdir, root);
        if (setting.RootEntry == RootEntry.Pivot)
        {
            // With both names "." the old root is stacked over the new one, and detaching it uncovers the new. See pivot_root(2), NOTES.
            plan.Call("pivot_root", SystemCall.pivot_root, plan.Text("."), plan.Text("."));
            plan.Call("detach the old root", SystemCall.umount2, plan.Text("."), Mounts.MNT_DETACH);
        }
        else
        {
            plan.Call("move the container's root to /", SystemCall.mount, plan.Text("."), plan.Text("/"), 0, (long)MountFlags.Move, 0);
            plan.Call("chroot", SystemCall.chroot, plan.Text("."));
        }

        plan.Call("enter /", SystemCall.chdir, plan.Text("/"));
        plan.Close(root);
        if (config.Linux?.RootfsPropagation is { } name)
        {
            long flags = (long)Propagation(name) | (long)(name.StartsWith('r') ? MountFlags.Recursive : 0);
            plan.Call($"make the container's root {name}", SystemCall.mount, 0, plan.Text("/"), 0, flags, 0);
        }
    }

    /// <summary>As <see cref="Enter"/>, for a container in its maker's mount namespace, where no mount may be changed.</summary>
    public static void ChangeTo(LaunchPlan plan, PlanValue root)
    {
        plan.Call("enter the container's root", SystemCall.fchdir, root);
        plan.Call("chroot", SystemCall.chroot, plan.Text("."));
        plan.Call("enter /", SystemCall.chdir, plan.Text("/"));
        plan.Close(root);
    }

    /// <param name="name">As config.json has it in linux.rootfsPropagation; null stands for slave.</param>
    public static MountPropagation Propagation(string? name) => name switch
    {
        null or "slave" or "rslave" => MountPropagation.Slave,
        "private" or "rprivate" => MountPropagation.Private,
        "shared" or "rshared" => MountPropagation.Shared,
        "unbindable" or "runbindable" => MountPropagation.Unbindable,
        _ => throw new SpecException("linux.rootfsPropagation", $"'{name}' is no propagation: use shared, slave, private or unbindable"),
    };
}
