using System.Buffers.Binary;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>A mount of the host's that a program in a chroot finds.</summary>
/// <param name="Source">On the host.</param>
/// <param name="Recursive">With what is mounted below it.</param>
public sealed record ChrootMount(string Source, string Target, bool Recursive, bool ReadOnly);

/// <summary>A program in a root directory of its own and nothing else: no namespace, no filter, all descriptors and all rights that its user has.</summary>
public static class ChrootPlan
{
    const int CLONE_FS = 0x200, PR_SET_NO_NEW_PRIVS = 38, SIG_SETMASK = 2;

    /// <summary>For the very process that is to become the program, which has a mount namespace that nobody else looks at.</summary>
    /// <param name="config">Of which the process counts, and whether the root is read-only.</param>
    /// <param name="rootPath">An absolute path.</param>
    /// <param name="mounts">Made in this order; targets that are missing are made.</param>
    /// <param name="outside">The mount namespace that the sources are in: what is mounted below them later, there or in the chroot, is seen on both sides where they are shared.</param>
    public static LaunchPlan Build(RuntimeConfig config, string rootPath, IReadOnlyList<ChrootMount> mounts, FileDescriptor? outside)
    {
        var plan = new LaunchPlan();
        var process = config.Process ?? throw new SpecException("process", "there is no program to run");
        var sources = CloneSources(plan, mounts, outside);
        var root = plan.CallForResult($"open {rootPath}", SystemCall.openat, -100, plan.Text(rootPath), (long)(OpenFlags.Path | OpenFlags.Directory | OpenFlags.CloseOnExec));
        bool readOnlyRoot = config.Root is { Readonly: true };
        if (readOnlyRoot)
        {
            root = Cover(plan, root, rootPath);
        }

        for (int i = 0; i < mounts.Count; i++)
        {
            var (source, path, recursive, readOnly) = mounts[i];
            using var opened = Files.TryOpen(FileDescriptor.WorkingDirectory, source, OpenFlags.Path, out _);
            if (readOnly)
            {
                plan.SetAttributes(sources[i], path, MountAttributes.ReadOnly, recursive: recursive);
            }

            plan.Attach(sources[i], plan.OpenTarget(root, path, asFile: opened is not null && Files.Status(opened).Kind != FileKind.Directory), path);
        }

        if (readOnlyRoot)
        {
            plan.SetAttributes(root, rootPath, MountAttributes.ReadOnly); // now that all targets are made
        }

        ContainerRoot.ChangeTo(plan, root);
        Become(plan, process);
        return plan;
    }

    static List<PlanValue> CloneSources(LaunchPlan plan, IReadOnlyList<ChrootMount> mounts, FileDescriptor? outside)
    {
        var own = default(PlanValue);
        if (outside is not null)
        {
            own = plan.CallForResult("open the mount namespace", SystemCall.openat, -100, plan.Text("/proc/self/ns/mnt"), (long)OpenFlags.CloseOnExec);
            plan.Call("leave the file system attributes of other threads", SystemCall.unshare, CLONE_FS);
            plan.Call("join the host's mount namespace", SystemCall.setns, plan.Descriptor(outside), (long)Namespaces.Mount);
        }

        var sources = mounts.Select(mount => plan.CloneMount(mount.Source, mount.Recursive)).ToList();
        if (outside is not null)
        {
            plan.Call("return to the mount namespace", SystemCall.setns, own, (long)Namespaces.Mount);
        }

        return sources;
    }

    /// <summary>Lays a mount of the root over it, which it need not be yet.</summary>
    static PlanValue Cover(LaunchPlan plan, PlanValue root, string path)
    {
        var tree = plan.CloneMount(root, path, recursive: true);
        plan.Call(
            $"mount on {path}", SystemCall.move_mount, tree, plan.Text(""), root, plan.Text(""), Mounts.MOVE_MOUNT_F_EMPTY_PATH | Mounts.MOVE_MOUNT_T_EMPTY_PATH);
        plan.Close(root);
        return tree;
    }

    static void Become(LaunchPlan plan, RuntimeProcess process)
    {
        ContainerProcess.EnterWorkingDirectory(plan, process.Cwd);
        var groups = new byte[process.User.AdditionalGids.Count * 4];
        for (int i = 0; i < process.User.AdditionalGids.Count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(groups.AsSpan(i * 4), process.User.AdditionalGids[i]);
        }

        plan.Call("set supplementary groups", SystemCall.setgroups, process.User.AdditionalGids.Count, plan.Bytes(groups));
        plan.Call($"become group {process.User.Gid}", SystemCall.setresgid, process.User.Gid, process.User.Gid, process.User.Gid);
        plan.Call($"become user {process.User.Uid}", SystemCall.setresuid, process.User.Uid, process.User.Uid, process.User.Uid);
        if (process.NoNewPrivileges)
        {
            plan.Call("set no_new_privs", SystemCall.prctl, PR_SET_NO_NEW_PRIVS, 1);
        }

        plan.Call("unblock signals", SystemCall.rt_sigprocmask, SIG_SETMASK, plan.Bytes(stackalloc byte[8]), 0, 8);
        ContainerProcess.Execute(plan, process, process.Args[0], plan.TextArray(process.Env));
    }
}
