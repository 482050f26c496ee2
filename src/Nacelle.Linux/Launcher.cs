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
/// The child is made by clone(2) with CLONE_VM and CLONE_VFORK: no page tables are copied, and the calling thread stands still until the child
/// has exec'd or ended. It is a thread group of its own, so it may join user and mount namespaces, which a process with several threads may not.
/// A collection that another thread starts meanwhile waits for the child: about a millisecond.
/// </remarks>
public static unsafe partial class Launcher
{
    const ulong CLONE_INTO_CGROUP = 0x200000000;
    const uint CLONE_VM = 0x100, CLONE_VFORK = 0x4000, CLONE_PARENT = 0x8000;
    const int SIGCHLD = 17, StackSize = 256 * 1024, SignalCount = 64;
    const int SIG_SETMASK = 2, SIGKILL = 9, SIGSTOP = 19;

    [ThreadStatic]
    static LoadedPlan? planOfChild;

    static bool warm;

    /// <summary>Starts the plan's program in new namespaces and returns as soon as it runs.</summary>
    /// <exception cref="KernelException">A step of the plan failed (the message is the step's), or clone itself; no process is left.</exception>
    public static Process Start(LoadedPlan plan, Namespaces namespaces = Namespaces.None)
    {
        int pid = Clone(plan, (uint)namespaces | CLONE_VM | CLONE_VFORK, &RunPlan);
        return Check(plan, pid);
    }

    /// <summary>As <see cref="Start"/>, for plans that join a PID namespace: only a further child is inside it, and that becomes a child of the caller.</summary>
    /// <param name="outer">Run first, in a process that ends afterwards: joins the namespaces.</param>
    /// <param name="inner">Run by the process that stays.</param>
    public static Process StartInside(LoadedPlan outer, LoadedPlan inner)
    {
        secondPlan = inner;
        pidOfGrandchild = 0;
        int pid = Clone(outer, CLONE_VM | CLONE_VFORK, &RunPlanThenClone);
        Processes.Wait(pid);
        if (outer.Failure is { } failure)
        {
            throw failure;
        }

        return Check(inner, pidOfGrandchild);
    }

    /// <summary>
    /// Starts the plan's program in a new user namespace and others, which the new namespace owns: the child runs on a copy of this process's memory
    /// and waits, before its first step, until its maps are written, which only a process outside can do.
    /// </summary>
    /// <remarks>No other thread of this process may be running managed code meanwhile.</remarks>
    /// <exception cref="KernelException">As for <see cref="Start"/>; also what writing the maps throws.</exception>
    public static Process StartMapped(LaunchPlan plan, Namespaces namespaces, uint shift, uint count)
    {
        var (waiting, go) = Files.CreatePipe("user namespace");
        var (ended, running) = Files.CreatePipe("user namespace");
        using (waiting)
        using (go)
        using (ended)
        using (running)
        {
            var whole = new LaunchPlan();
            whole.Call("close", SystemCall.close, whole.Descriptor(go)); // or the child would wait for itself when we are killed
            whole.Call("wait for the user namespace's maps", SystemCall.read, whole.Descriptor(waiting), LaunchPlan.AddressOf(whole.NewCell()), 1);
            using var first = LoadedPlan.Load(whole.ToBytes());
            using var loaded = LoadedPlan.Load(plan.ToBytes());
            var process = Fork(first, loaded, namespaces | Namespaces.User);
            try
            {
                UserNamespaces.WriteMaps(process.Id, shift, count);
                Files.Write(go, [1]);
                running.Dispose();
                Files.Read(ended, stackalloc byte[1]); // ends when the child's copy is closed, by its exec or its death
                return Check(loaded, process.Id);
            }
            catch (KernelException) when (loaded.Failure is null)
            {
                Processes.Kill(process.Id, Signal.Kill);
                process.Wait();
                throw;
            }
        }
    }

    /// <summary>Makes a child that runs one plan and then another on a copy of this process's memory.</summary>
    internal static Process Fork(LoadedPlan first, LoadedPlan second, Namespaces namespaces)
    {
        // The child has but one thread: a collection under way in another one would never end there.
        bool quiet = GC.TryStartNoGCRegion(1 << 20);
        try
        {
            secondPlan = second;
            int pid = Clone(first, (uint)namespaces, &RunTwoPlans);
            return new Process(pid > 0 ? pid : throw new KernelException("clone", (Errno)(-pid)));
        }
        finally
        {
            EndQuiet(quiet);
        }
    }

    /// <summary>
    /// As <see cref="Start"/>, and the child is born in a control group of version 2 (clone3(2), CLONE_INTO_CGROUP, Linux 5.7): moving it there later
    /// would wait for a grace period of all processors.
    /// </summary>
    /// <remarks>The C library has no clone3 that takes a stack, so the child runs on a copy of this process's memory, as after fork(2).</remarks>
    public static Process StartIn(FileDescriptor cgroup, LoadedPlan plan, Namespaces namespaces = Namespaces.None)
    {
        WarmUp();
        bool quiet = GC.TryStartNoGCRegion(1 << 20);
        try
        {
            ulong* arguments = stackalloc ulong[11];
            new Span<ulong>(arguments, 11).Clear();
            arguments[0] = (ulong)namespaces | CLONE_VFORK | CLONE_INTO_CGROUP;
            arguments[4] = SIGCHLD;
            arguments[10] = (ulong)cgroup.Number;
            ulong all = ulong.MaxValue, before = 0;
            // SAFETY: 88 bytes are struct clone_args up to its cgroup field; without CLONE_VM the child returns on a copy of this very frame.
            RawCall.Invoke(SystemCall.rt_sigprocmask, SIG_SETMASK, (nint)(&all), (nint)(&before), 8, 0, 0);
            nint pid = RawCall.Invoke(SystemCall.clone3, (nint)arguments, 88, 0, 0, 0, 0);
            if (pid == 0)
            {
                ResetSignals(dry: false);
                plan.Run();
                RawCall.Exit(125);
            }

            int error = *RawCall.ErrnoLocation();
            RawCall.Invoke(SystemCall.rt_sigprocmask, SIG_SETMASK, (nint)(&before), 0, 8, 0, 0);
            return Check(plan, (int)(pid > 0 ? pid : -error));
        }
        finally
        {
            EndQuiet(quiet);
        }
    }

    /// <summary>Somebody who asks for a collection ends the region before us.</summary>
    static void EndQuiet(bool quiet)
    {
        if (quiet && System.Runtime.GCSettings.LatencyMode == System.Runtime.GCLatencyMode.NoGCRegion)
        {
            GC.EndNoGCRegion();
        }
    }

    static Process Check(LoadedPlan plan, int pid)
    {
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
        using var loaded = LoadedPlan.Load(plan.ToBytes());
        loaded.Run();
        ResetSignals(dry: true);
        warm = true;
    }

    [ThreadStatic]
    static LoadedPlan? secondPlan;

    [ThreadStatic]
    static int pidOfGrandchild;

    [UnmanagedCallersOnly]
    static int RunPlan(void* unused)
    {
        ResetSignals(dry: false);
        planOfChild!.Run();
        RawCall.Exit(125);
        return 0;
    }

    [UnmanagedCallersOnly]
    static int RunTwoPlans(void* unused)
    {
        ResetSignals(dry: false);
        planOfChild!.Run();
        secondPlan!.Run();
        RawCall.Exit(125);
        return 0;
    }

    [UnmanagedCallersOnly]
    static int RunPlanThenClone(void* stack)
    {
        ResetSignals(dry: false);
        planOfChild!.Run();
        if (planOfChild.Header->FailedStep < 0)
        {
            planOfChild = secondPlan;
            byte* inner = stackalloc byte[64 * 1024];
            // SAFETY: this process stands still (CLONE_VFORK) while the grandchild runs on a part of its stack. An ordinary P/Invoke, because
            // a call without a GC transition may not lead back into managed code.
            pidOfGrandchild = clone(&RunPlan, inner + (64 * 1024), (int)(CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD), null);
            if (pidOfGrandchild < 0)
            {
                pidOfGrandchild = -Marshal.GetLastSystemError();
            }
        }

        RawCall.Exit(0);
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
