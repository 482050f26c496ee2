using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Turns a bundle's config.json into the launch plan of its process: from a fresh mount namespace to the exec.</summary>
/// <remarks>
/// The plan runs in a child of whoever launches it, in new namespaces as <see cref="NamespacesToMake"/> says. The order matters:
/// what needs privileges comes before they are given up, and what the container could influence is opened inside its root only.
/// </remarks>
public static class ContainerPlan
{
    /// <summary>The namespaces that the process is created in. Those joined by path, and the cgroup namespace, are made or joined by the plan itself.</summary>
    public static Namespaces NamespacesToMake(RuntimeConfig config)
    {
        var made = Namespaces.None;
        foreach (var one in config.Linux?.Namespaces ?? [])
        {
            made |= one.Path is null && one.Type != "cgroup" ? NamespaceOf(one.Type) : Namespaces.None;
        }

        return made;
    }

    public static LaunchPlan Build(RuntimeConfig config, ContainerSetting setting)
    {
        var plan = new LaunchPlan();
        var linux = config.Linux ?? new RuntimeLinux();
        var process = config.Process ?? throw new SpecException("process", "the container has nothing to run");
        plan.Call("start a session", SystemCall.setsid).Tolerate(Errno.EPERM);
        JoinCgroups(plan, linux, setting);
        JoinNamespaces(plan, linux);
        var root = AttachRoot(plan, config, setting);
        foreach (var mount in config.Mounts)
        {
            ContainerMounts.Add(plan, root, mount, setting);
        }

        var terminal = ContainerDevices.Add(plan, root, config, setting);
        ContainerPaths.Add(plan, root, config, setting);
        EnterRoot(plan, root, config);
        if (config.Hostname is { } hostname)
        {
            plan.Call($"set host name {hostname}", SystemCall.sethostname, plan.Text(hostname), hostname.Length);
        }

        ContainerProcess.Add(plan, process, linux.Seccomp, terminal);
        return plan;
    }

    /// <summary>The paths in the container that a process's program may stand for, in the order in which they are tried.</summary>
    public static IReadOnlyList<string> ProgramCandidates(RuntimeProcess process) => ContainerProcess.Candidates(process.Args[0], process.Env);

    static void JoinCgroups(LaunchPlan plan, RuntimeLinux linux, ContainerSetting setting)
    {
        foreach (var group in setting.Cgroups)
        {
            plan.Call($"join {group}", SystemCall.write, plan.Descriptor(group), plan.Text("0"), 1);
        }

        // A new cgroup namespace has its root where its first process is, so it is made after joining. See cgroup_namespaces(7).
        if (linux.Namespaces.Any(one => one.Type == "cgroup" && one.Path is null))
        {
            plan.Call("unshare the cgroup namespace", SystemCall.unshare, (long)Namespaces.Cgroup);
        }
    }

    static void JoinNamespaces(LaunchPlan plan, RuntimeLinux linux)
    {
        foreach (var one in linux.Namespaces)
        {
            if (one.Path is { } path)
            {
                var opened = plan.CallForResult($"open {one.Type} namespace {path}", SystemCall.openat, -100, plan.Text(path), (long)OpenFlags.CloseOnExec);
                plan.Call($"join {one.Type} namespace {path}", SystemCall.setns, opened, (long)NamespaceOf(one.Type));
                plan.Close(opened);
            }
        }
    }

    /// <summary>Makes the rootfs a mount of its own, which pivot_root(2) asks for, and opens it.</summary>
    static PlanValue AttachRoot(LaunchPlan plan, RuntimeConfig config, ContainerSetting setting)
    {
        plan.Call("make mounts slaves", SystemCall.mount, 0, plan.Text("/"), 0, (long)(MountFlags.Slave | MountFlags.Recursive));
        var tree = plan.CloneMount(setting.RootPath, recursive: true);
        var target = plan.CallForResult(
            $"open {setting.RootPath}", SystemCall.openat, -100, plan.Text(setting.RootPath), (long)(OpenFlags.Path | OpenFlags.CloseOnExec));
        plan.Call(
            $"mount on {setting.RootPath}", SystemCall.move_mount, tree, plan.Text(""), target, plan.Text(""),
            Mounts.MOVE_MOUNT_F_EMPTY_PATH | Mounts.MOVE_MOUNT_T_EMPTY_PATH);
        plan.Close(target);
        return tree;
    }

    /// <summary>Makes the container's root the process's, and lets go of the old one.</summary>
    static void EnterRoot(LaunchPlan plan, PlanValue root, RuntimeConfig config)
    {
        if (config.Root is { Readonly: true })
        {
            plan.SetAttributes(root, "the container's root", MountAttributes.ReadOnly);
        }

        // With both names "." the old root is stacked over the new one, and detaching it uncovers the new. See pivot_root(2), NOTES.
        plan.Call("enter the container's root", SystemCall.fchdir, root);
        plan.Call("pivot_root", SystemCall.pivot_root, plan.Text("."), plan.Text("."));
        plan.Call("detach the old root", SystemCall.umount2, plan.Text("."), Mounts.MNT_DETACH);
        plan.Call("enter /", SystemCall.chdir, plan.Text("/"));
        plan.Close(root);
    }

    internal static Namespaces NamespaceOf(string type) => type switch
    {
        "pid" => Namespaces.Pid,
        "network" => Namespaces.Network,
        "mount" => Namespaces.Mount,
        "ipc" => Namespaces.Ipc,
        "uts" => Namespaces.Uts,
        "user" => Namespaces.User,
        "cgroup" => Namespaces.Cgroup,
        "time" => Namespaces.Time,
        _ => throw new SpecException("linux.namespaces", $"'{type}' is no namespace: use pid, network, mount, ipc, uts, user, cgroup or time"),
    };
}
