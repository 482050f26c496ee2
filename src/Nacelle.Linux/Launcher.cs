using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>The CLONE_NEW* flags. See namespaces(7).</summary>
[Flags]
public enum Namespaces : uint
{
    None = 0,
    Time = 0x80,
    Mount = 0x20000,
    Cgroup = 0x2000000,
    Uts = 0x4000000,
    Ipc = 0x8000000,
    User = 0x10000000,
    Pid = 0x20000000,
    Network = 0x40000000,
}

/// <summary>Makes processes that run a launch plan.</summary>
/// <remarks>
/// A program that starts at once: the child is made by clone(2) with CLONE_VM and CLONE_VFORK: no page tables are copied, and the calling thread stands still until the child
/// has exec'd or ended. It is a thread group of its own, so it may join user and mount namespaces, which a process with several threads may not.
/// A collection that another thread starts meanwhile waits for the child: about a millisecond.
/// </remarks>
public static unsafe partial class Launcher
{
    const uint CLONE_VM = 0x100, CLONE_VFORK = 0x4000;
    const int SIGCHLD = 17, StackSize = 256 * 1024, SignalCount = 64;
    const int SIG_SETMASK = 2, SIGKILL = 9, SIGSTOP = 19;

    [ThreadStatic]
    static LoadedPlan? planOfChild;

    static bool warm;

    /// <summary>Starts the plan's program in new namespaces and returns as soon as it runs.</summary>
    /// <exception cref="KernelException">A step of the plan failed (the message is the step's), or clone itself; no process is left.</exception>
    public static Process Start(LaunchPlan plan, Namespaces namespaces = Namespaces.None) => Start(new PlanImage(plan), namespaces);

    /// <inheritdoc cref="Start(LaunchPlan, Namespaces)"/>
    public static Process Start(PlanImage image, Namespaces namespaces = Namespaces.None)
    {
        using var plan = new LoadedPlan(image);
        int pid = Clone(plan, (uint)namespaces | CLONE_VM | CLONE_VFORK, &RunPlan);
        if (pid < 0)
        {
            throw new KernelException("clone", (Errno)(-pid));
        }

        if (plan.Failure is { } failure)
        {
            Processes.Wait(pid);
            throw failure;
        }

        return new Process(pid);
    }

    /// <returns>The child's process id, or a negative errno.</returns>
    static int Clone(LoadedPlan plan, uint flags, delegate* unmanaged<void*, int> entry)
    {
        WarmUp();
        nint stack = mmap(0, StackSize, 3, 0x20022, -1, 0);
        if (stack == -1)
        {
            return -(int)Call.LastError;
        }

        planOfChild = plan;
        ulong all = ulong.MaxValue, before = 0;
        // SAFETY: The masks are one 64-bit word each, which is what sizeof says. No signal may reach the child while it has our handlers and our memory.
        RawCall.Invoke(SystemCall.rt_sigprocmask, SIG_SETMASK, (nint)(&all), (nint)(&before), 8, 0, 0);
        // SAFETY: The stack is used by the child alone and freed after it has exec'd or, without CLONE_VM, exists in the child as a copy.
        int pid = clone(entry, (void*)(stack + StackSize), (int)(flags | SIGCHLD), null);
        int error = Marshal.GetLastSystemError();
        RawCall.Invoke(SystemCall.rt_sigprocmask, SIG_SETMASK, (nint)(&before), 0, 8, 0, 0);
        munmap(stack, StackSize);
        planOfChild = null;
        return pid >= 0 ? pid : -error;
    }

    /// <summary>Runs an empty plan in this process, so that everything the child calls is compiled and bound before there is a child.</summary>
    static void WarmUp()
    {
        if (warm)
        {
            return;
        }

        var plan = new LaunchPlan();
        plan.Call("getpid", SystemCall.getpid);
        using var loaded = new LoadedPlan(new PlanImage(plan));
        loaded.Run();
        ResetSignals(dry: true);
        warm = true;
    }

    [UnmanagedCallersOnly]
    static int RunPlan(void* unused)
    {
        ResetSignals(dry: false);
        planOfChild!.Run();
        RawCall.Exit(125);
        return 0;
    }

    /// <summary>Sets every signal to its default: exec keeps what is ignored, and the .NET runtime ignores SIGPIPE.</summary>
    static void ResetSignals(bool dry)
    {
        byte* action = stackalloc byte[32];
        new Span<byte>(action, 32).Clear();
        for (int signal = 1; signal <= SignalCount; signal++)
        {
            if (signal is not (SIGKILL or SIGSTOP))
            {
                // SAFETY: 32 zero bytes are the kernel's struct sigaction with SIG_DFL; the child's table is its own (no CLONE_SIGHAND).
                RawCall.Invoke(SystemCall.rt_sigaction, signal, dry ? 0 : (nint)action, 0, 8, 0, 0);
            }
        }
    }

    [LibraryImport("libc")]
    private static partial int clone(delegate* unmanaged<void*, int> entry, void* stackTop, int flags, void* argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nint length);
}
