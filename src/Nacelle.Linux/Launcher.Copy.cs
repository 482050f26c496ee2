namespace Nacelle.Linux;

/// <remarks>
/// Here the child runs on a copy of this process's memory, as after fork(2): both go on at once, so the child can wait for what only its parent can do,
/// and outlive it. It has but the one thread, allocates nothing and makes system calls only.
/// </remarks>
public static unsafe partial class Launcher
{
    const ulong CLONE_INTO_CGROUP = 0x200000000, CLONE_PARENT = 0x8000;

    /// <summary>
    /// Makes a child that runs one plan and then another, and returns at once. When a plan fails, or ends without an exec, the child ends with code 125:
    /// see <see cref="LoadedPlan.Failure"/>.
    /// </summary>
    /// <param name="cgroup">
    /// The directory of a control group of version 2 to be born in, or null (clone3(2), CLONE_INTO_CGROUP, Linux 5.7): moving there later would wait for
    /// a grace period of all processors.
    /// </param>
    /// <remarks>No other thread of this process may be running managed code meanwhile.</remarks>
    public static Process Begin(LoadedPlan plan, Namespaces namespaces = Namespaces.None, FileDescriptor? cgroup = null, LoadedPlan? then = null) =>
        new(Copy(plan, then, (ulong)namespaces, cgroup));

    /// <summary>As <see cref="Begin"/>, from inside namespaces that a first plan joins: only a child made there is in a PID namespace that was joined.</summary>
    /// <param name="outer">Run first, in a process that ends afterwards.</param>
    /// <param name="inner">Run by the process that stays, a child of the caller.</param>
    /// <param name="namespaces">Made for the process that stays.</param>
    public static Process BeginInside(LoadedPlan outer, LoadedPlan inner, Namespaces namespaces = Namespaces.None, FileDescriptor? cgroup = null) =>
        Inside(outer, inner, (ulong)namespaces, cgroup);

    /// <summary>As <see cref="BeginInside"/>, and returns as soon as the plan's program runs.</summary>
    /// <exception cref="KernelException">As for <see cref="Start"/>.</exception>
    public static Process StartInside(LoadedPlan outer, LoadedPlan inner, Namespaces namespaces = Namespaces.None, FileDescriptor? cgroup = null) =>
        Check(inner, Inside(outer, inner, (ulong)namespaces | CLONE_VFORK, cgroup).Id);

    /// <summary>As <see cref="Start"/>, and the child is born in a control group of version 2.</summary>
    public static Process StartIn(FileDescriptor cgroup, LoadedPlan plan, Namespaces namespaces = Namespaces.None) =>
        Check(plan, Copy(plan, then: null, (ulong)namespaces | CLONE_VFORK, cgroup));

    /// <summary>
    /// Starts the plan's program in a new user namespace and others, which the new namespace owns: the child waits, before its first step, until its maps
    /// are written, which only a process outside can do.
    /// </summary>
    /// <param name="map">Of its users and of its groups.</param>
    /// <exception cref="KernelException">As for <see cref="Start"/>; also what writing the maps throws.</exception>
    public static Process StartMapped(LaunchPlan plan, Namespaces namespaces, IReadOnlyList<IdRange> map)
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
            whole.Call("wait for the user namespace's maps", SystemCall.read, whole.Descriptor(waiting), LaunchPlan.AddressOf(whole.NewCell()), 1).AtLeast(1);
            using var first = LoadedPlan.Load(whole.ToBytes());
            using var loaded = LoadedPlan.Load(plan.ToBytes());
            var process = Begin(first, namespaces | Namespaces.User, then: loaded);
            try
            {
                UserNamespaces.WriteMaps(process.Id, map, map);
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

    static Process Inside(LoadedPlan outer, LoadedPlan inner, ulong flags, FileDescriptor? cgroup)
    {
        // With CLONE_PARENT the kernel wants no signal named: the sibling's is that of the process in between.
        Processes.Wait(Copy(outer, inner, CLONE_VFORK, cgroup, flags | CLONE_PARENT));
        return outer.Failure is { } failure ? throw failure
            : inner.Header->Child > 0 ? new Process(inner.Header->Child)
            : throw new KernelException("clone3", (Errno)(-inner.Header->Child));
    }

    /// <param name="siblingFlags">When not 0, the second plan is run by a process of its own, which the first one's makes.</param>
    /// <returns>The child's process id.</returns>
    static int Copy(LoadedPlan plan, LoadedPlan? then, ulong flags, FileDescriptor? cgroup, ulong siblingFlags = 0)
    {
        WarmUp();

        // The child has but one thread: a collection under way in another one would never end there. Code compiled beforehand does not look for
        // collections between the calls that a plan makes; code compiled at run time may.
        bool quiet = System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeCompiled && GC.TryStartNoGCRegion(1 << 20);
        try
        {
            ulong* arguments = stackalloc ulong[11];
            new Span<ulong>(arguments, 11).Clear();
            arguments[0] = flags | (cgroup is null ? 0 : CLONE_INTO_CGROUP);
            arguments[4] = SIGCHLD;
            arguments[10] = (ulong)(cgroup?.Number ?? 0);
            ulong all = ulong.MaxValue, before = 0;
            // SAFETY: 88 bytes are struct clone_args up to its cgroup field; without CLONE_VM the child returns on a copy of this very frame.
            RawCall.Invoke(SystemCall.rt_sigprocmask, SIG_SETMASK, (nint)(&all), (nint)(&before), 8, 0, 0);
            nint pid = RawCall.Invoke(SystemCall.clone3, (nint)arguments, 88, 0, 0, 0, 0);
            if (pid == 0)
            {
                ResetSignals(dry: false);
                if (plan.Run() && then is not null)
                {
                    if (siblingFlags != 0)
                    {
                        arguments[0] = siblingFlags;
                        arguments[4] = arguments[10] = 0;
                        // SAFETY: as above; the plan's memory is shared, so its header carries the number to the caller.
                        pid = RawCall.Invoke(SystemCall.clone3, (nint)arguments, 88, 0, 0, 0, 0);
                        if (pid != 0)
                        {
                            then.Header->Child = pid > 0 ? (int)pid : -*RawCall.ErrnoLocation();
                            RawCall.Exit(0);
                        }
                    }

                    then.Run();
                }

                RawCall.Exit(125);
            }

            int error = *RawCall.ErrnoLocation();
            RawCall.Invoke(SystemCall.rt_sigprocmask, SIG_SETMASK, (nint)(&before), 0, 8, 0, 0);
            return pid > 0 ? (int)pid : throw new KernelException("clone3", (Errno)error);
        }
        finally
        {
            // Somebody who asks for a collection ends the region before us.
            if (quiet && System.Runtime.GCSettings.LatencyMode == System.Runtime.GCLatencyMode.NoGCRegion)
            {
                GC.EndNoGCRegion();
            }
        }
    }
}
