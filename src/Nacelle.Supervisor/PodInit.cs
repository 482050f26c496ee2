using System.Buffers.Binary;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>Makes the pod's PID 1: this very executable, in the pod's namespaces, with stage1's rootfs as its root.</summary>
static class PodInit
{
    const int SIOCSIFFLAGS = 0x8914, IFF_UP = 1, AF_INET = 2, SOCK_DGRAM_CLOEXEC = 0x80002, F_SETFD = 2;

    /// <param name="handover">The file that PID 1 will find its order in.</param>
    /// <param name="socket">On which it waits for a byte before it looks.</param>
    /// <param name="kept">What PID 1 inherits, under the same numbers.</param>
    public static Process Start(Stage1Options options, FileDescriptor handover, FileDescriptor socket, IEnumerable<FileDescriptor> kept)
    {
        using var executable = SealedExecutable.Open();
        var namespaces = Namespaces.Mount | Namespaces.Uts | (options.HostIpc ? Namespaces.None : Namespaces.Ipc)
            | (options.HostProcesses ? Namespaces.None : Namespaces.Pid) | (options.HostNetwork ? Namespaces.None : Namespaces.Network);
        var plan = new LaunchPlan();
        if (options.PrivateUsers is not null)
        {
            plan.Call("become group 0", SystemCall.setresgid, 0, 0, 0);
            plan.Call("become user 0", SystemCall.setresuid, 0, 0, 0);
            plan.Call("set supplementary groups", SystemCall.setgroups, 0, 0);
        }

        EnterRoot(plan, options);
        if (!options.HostNetwork)
        {
            RaiseLoopback(plan);
        }

        if (options.Hostname is { } hostname)
        {
            plan.Call($"set host name {hostname}", SystemCall.sethostname, plan.Text(hostname), hostname.Length);
        }

        foreach (var descriptor in kept)
        {
            plan.Call("keep a descriptor", SystemCall.fcntl, plan.Descriptor(descriptor), F_SETFD, 0);
        }

        plan.Call(
            "exec the pod's supervisor", SystemCall.execveat, plan.Descriptor(executable), plan.Text(""),
            plan.TextArray(["nacelle-init", "supervise", $"{handover.Number}", $"{socket.Number}"]), plan.TextArray([]), Mounts.AT_EMPTY_PATH);
        // A process in a user namespace cannot walk through the pod directory, which is root's alone: it starts where it has to be.
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = "stage1/rootfs";
        try
        {
            if (options.PrivateUsers is { } users)
            {
                return Launcher.StartMapped(plan, namespaces, [new IdRange(0, users.Shift, users.Count)]);
            }

            return Launcher.Start(plan, namespaces);
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    /// <summary>Leaves of the host's file systems only what is mounted below stage1's rootfs.</summary>
    static void EnterRoot(LaunchPlan plan, Stage1Options options)
    {
        var tree = plan.CallForResult(
            "bind stage1", SystemCall.open_tree, -100, plan.Text("."), Mounts.OPEN_TREE_CLONE | Mounts.OPEN_TREE_CLOEXEC | Mounts.AT_RECURSIVE);
        plan.Call(
            "mount stage1", SystemCall.move_mount, tree, plan.Text(""), -100, plan.Text("."), Mounts.MOVE_MOUNT_F_EMPTY_PATH);
        plan.Call("enter stage1", SystemCall.fchdir, tree);
        plan.Call("make stage1's mounts private", SystemCall.mount, 0, plan.Text("."), 0, (long)(MountFlags.Private | MountFlags.Recursive));
        if (options.IsInUserNamespace)
        {
            // A user namespace may mount proc and sysfs only where it sees whole ones already (mount_too_revealing in fs/namespace.c).
            plan.Call("mount proc in stage1", SystemCall.mount, plan.Text("proc"), plan.Text("proc"), plan.Text("proc"), 0, 0);
            if (!options.HostNetwork)
            {
                plan.Call("mount sysfs in stage1", SystemCall.mount, plan.Text("sysfs"), plan.Text("sys"), plan.Text("sysfs"), 0, 0);
            }
        }

        plan.Call("pivot_root", SystemCall.pivot_root, plan.Text("."), plan.Text("."));
        plan.Call("detach the host's root", SystemCall.umount2, plan.Text("."), Mounts.MNT_DETACH);
        plan.Call("enter /", SystemCall.chdir, plan.Text("/"));
    }

    static void RaiseLoopback(LaunchPlan plan)
    {
        Span<byte> request = stackalloc byte[40]; // struct ifreq: 16 bytes of name, then the flags; see netdevice(7)
        "lo"u8.CopyTo(request);
        BinaryPrimitives.WriteInt16LittleEndian(request[16..], IFF_UP);
        var socket = plan.CallForResult("open a socket", SystemCall.socket, AF_INET, SOCK_DGRAM_CLOEXEC, 0);
        plan.Call("raise the loopback interface", SystemCall.ioctl, socket, SIOCSIFFLAGS, plan.Bytes(request));
        plan.Call("close", SystemCall.close, socket);
    }
}
