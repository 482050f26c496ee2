using System.Buffers.Binary;
using Nacelle.Linux;

namespace Nacelle.Flavors;

/// <summary>The PID 1 of a pod whose apps somebody else starts: it owns the pod's namespaces, buries orphans, and its end is everybody's.</summary>
static class PodInit
{
    const int PR_SET_PDEATHSIG = 1, SIOCSIFFLAGS = 0x8914, IFF_UP = 1, AF_INET = 2, SOCK_DGRAM_CLOEXEC = 0x80002, SIG_SETMASK = 2;

    /// <summary>Where it has its root: a directory with nothing in it.</summary>
    const string EmptyRoot = "stage1/rootfs/rkt/empty";

    /// <summary>Starts it in namespaces of its own: pid, ipc, uts, and unless the host's is wanted, a network that has its loopback and nothing else.</summary>
    /// <param name="name">What it is called by, from which this program knows what to do.</param>
    public static Process Start(Stage1Options options, string name)
    {
        using var executable = SealedExecutable.Open();
        Files.EnsureDirectory(FileDescriptor.WorkingDirectory, EmptyRoot);
        var plan = new LaunchPlan();
        plan.Call("die with stage1", SystemCall.prctl, PR_SET_PDEATHSIG, (int)Signal.Kill);
        if (!options.HostNetwork)
        {
            RaiseLoopback(plan);
        }

        if (options.Hostname is { } hostname)
        {
            plan.Call($"set host name {hostname}", SystemCall.sethostname, plan.Text(hostname), hostname.Length);
        }

        plan.Call("enter an empty root", SystemCall.chroot, plan.Text(EmptyRoot));
        plan.Call("enter /", SystemCall.chdir, plan.Text("/"));
        plan.Call("block signals", SystemCall.rt_sigprocmask, SIG_SETMASK, plan.Bytes([255, 255, 255, 255, 255, 255, 255, 255]), 0, 8);
        plan.Call(
            "exec the pod's first process", SystemCall.execveat, plan.Descriptor(executable), plan.Text(""), plan.TextArray([name]), plan.TextArray([]), Mounts.AT_EMPTY_PATH);
        var namespaces = Namespaces.Pid | Namespaces.Ipc | Namespaces.Uts | (options.HostNetwork ? Namespaces.None : Namespaces.Network);
        return Launcher.Start(plan, namespaces);
    }

    /// <summary>As the pod's PID 1: waits to be ended. All signals are blocked since before this program was started.</summary>
    public static int Run()
    {
        using var signals = Signals.Open();
        while (true)
        {
            Polling.Wait([new PollEntry { Number = signals.Number, Wanted = PollEvents.Readable }]);
            while (Signals.TryRead(signals) is { } signal)
            {
                if (signal is Signal.Terminate or Signal.Interrupt)
                {
                    return 0;
                }
            }

            while (Processes.TryReapAny() is not null)
            {
            }
        }
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
