using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>
/// A process that carries out plans on its own: it may wait for what only its maker can do, and outlive it. Until its program starts it is the runner
/// (see Nacelle.Runner) and nothing of this process's memory.
/// </summary>
/// <remarks>
/// A first process of the runner carries out the outer plans, which may join namespaces, makes the process proper, a child of the caller's, and ends: only a child
/// made after joining a PID namespace is in it (setns(2)).
/// </remarks>
public sealed unsafe partial class Launch : IDisposable
{
    const ulong CLONE_VFORK = 0x4000, CLONE_PARENT = 0x8000;
    const int PR_SET_DUMPABLE = 4, F_SETFD = 2, FD_CLOEXEC = 1, ReadAndWrite = 3, MAP_SHARED = 1;

    readonly byte* start;
    readonly int size;
    readonly int between;
    ExitStatus? ended;
    Process? child;
    bool letGo;

    Launch(byte* start, int size, int between)
    {
        this.start = start;
        this.size = size;
        this.between = between;
    }

    /// <summary>The process that carries out the inner plans. The first look waits until it is there; it is known also after <see cref="Dispose"/>.</summary>
    /// <exception cref="KernelException">A step of an outer plan failed, or the process could not be made.</exception>
    public Process Process => TryProcess() ?? throw Failure ?? NotMade();

    /// <summary>Why the process ended before its exec, or null when it did not.</summary>
    /// <remarks>Only says anything once the process has exec'd or ended.</remarks>
    public KernelException? Failure => FailureIn(new ReadOnlySpan<byte>(start, size));

    /// <summary>The process when its program runs, of a launch that was begun until then, or of which that is known otherwise.</summary>
    /// <exception cref="KernelException">A step of a plan failed; no process is left.</exception>
    public Process Started()
    {
        var process = Process;
        if (Failure is { } failure)
        {
            process.Wait();
            throw failure;
        }

        return process;
    }

    /// <summary>Begins a launch and does not wait for it.</summary>
    /// <param name="outer">Plans that the process in between carries out.</param>
    /// <param name="inner">Plans of the process proper; the last one ends in an exec.</param>
    /// <param name="namespaces">Made for the process proper.</param>
    /// <param name="cgroup">
    /// The directory of a control group of version 2 to be born in, or null (clone3(2), CLONE_INTO_CGROUP, Linux 5.7): moving there later would wait for
    /// a grace period of all processors. Where there are outer plans, who carries them out is born there too, and counts as one more process for a moment:
    /// the process proper, which others in a namespace that it joins may look into, must not have the directory open for that.
    /// </param>
    /// <param name="untilExecuted">Whether <see cref="Process"/> waits until the program runs.</param>
    /// <param name="file">
    /// A new file to keep the launch in, or null for memory without a name: from a file a process that knows neither launcher nor child can learn
    /// why the child ended (<see cref="ReadFailure"/>).
    /// </param>
    public static Launch Begin(
        ReadOnlySpan<PlanImage> outer, ReadOnlySpan<PlanImage> inner, Namespaces namespaces = Namespaces.None, FileDescriptor? cgroup = null,
        bool untilExecuted = false, FileDescriptor? file = null)
    {
        using var executable = Runner.Open();
        using var memory = file is null ? Files.CreateInMemory("launch") : null;
        var inherited = new SortedSet<int>();
        foreach (var plan in (ReadOnlySpan<PlanImage>)[.. outer, .. inner])
        {
            inherited.UnionWith(plan.Descriptors);
        }

        inherited.RemoveWhere(number => number < 3);
        bool mappedByUser = (namespaces & Namespaces.User) != 0 && !(Processes.IsRoot && UserNamespaces.IsInitial);
        bool makerIsBornThere = cgroup is not null && outer.Length > 0;
        SortedSet<int> executed = cgroup is null ? inherited : [.. inherited, cgroup.Number];
        var first = new PlanImage(Begin(makerIsBornThere ? inherited : executed, keepsOthersOut: !mappedByUser)); // the maker has closed the directory by then
        int size = LaunchLayout.HeaderSize;
        foreach (var plan in (ReadOnlySpan<PlanImage>)[first, .. outer, .. inner])
        {
            size += plan.Length;
        }

        byte* start = Map(file ?? memory!, size);
        try
        {
            // SAFETY: the mapping is new, of that size, and nobody else has it yet.
            var header = (LaunchLayout.Header*)start;
            header->PlanCount = 1 + outer.Length + inner.Length;
            header->OuterCount = 1 + outer.Length;
            // With CLONE_PARENT the kernel wants no signal named: the sibling's is that of the process in between.
            header->Flags = (ulong)namespaces | CLONE_PARENT | (untilExecuted ? CLONE_VFORK : 0);
            header->MakerIsBornThere = makerIsBornThere ? 1 : 0;
            header->CloneArguments.Cgroup = (ulong)(cgroup?.Number ?? 0);
            var rest = new Span<byte>(start, size)[LaunchLayout.HeaderSize..];
            foreach (var plan in (ReadOnlySpan<PlanImage>)[first, .. outer, .. inner])
            {
                plan.Bytes.CopyTo(rest);
                rest = rest[plan.Length..];
            }

            return new Launch(start, size, Launcher.Start(Execute(executable, file ?? memory!, executed)).Id);
        }
        catch
        {
            _ = munmap((nint)start, size);
            throw;
        }
    }

    /// <summary>Why the process ended before its exec, from the file that its launch was kept in; null when no step failed.</summary>
    public static KernelException? ReadFailure(FileDescriptor file)
    {
        var image = Files.ReadToEnd(file);
        return image.Length < LaunchLayout.HeaderSize ? null : FailureIn(image);
    }

    static KernelException? FailureIn(ReadOnlySpan<byte> launch)
    {
        int count = MemoryMarshal.Read<LaunchLayout.Header>(launch).PlanCount;
        var rest = launch[LaunchLayout.HeaderSize..];
        for (int i = 0; i < count; i++)
        {
            if (PlanImage.FailureIn(rest) is { } failure)
            {
                return failure;
            }

            rest = rest[PlanLayout.Length(MemoryMarshal.Read<PlanLayout.Header>(rest))..];
        }

        return null;
    }

    /// <summary>As <see cref="Process"/>; null when the process could not be made.</summary>
    public Process? TryProcess()
    {
        if (ended is null)
        {
            ended = Processes.Wait(between);
            if (Made.Maker > 0)
            {
                ended = Processes.Wait(Made.Maker);
            }

            child = Made.Child > 0 ? new Process(Made.Child) : null;
        }

        return child;
    }

    // SAFETY: the header is the launch's first part; the runner writes each number in one store, before it ends.
    ref readonly LaunchLayout.Header Made => ref *(LaunchLayout.Header*)start;

    KernelException NotMade() =>
        Made.Maker < 0 ? new KernelException("make a process in the control group", (Errno)(-Made.Maker))
        : Made.Child < 0 ? new KernelException("make a process", (Errno)(-Made.Child))
        : new KernelException($"make a process (its maker ended with {ended!.Value.ShellCode})", Errno.ECANCELED);

    /// <summary>What the runner does first: what it has inherited for the plans' sake is not for the programs that they start.</summary>
    /// <param name="keepsOthersOut">
    /// Whether nobody without privileges may look into it (CVE-2016-9962). Not from the beginning where this process has none either: the maps of an undumpable process are
    /// root's to write.
    /// </param>
    static LaunchPlan Begin(IEnumerable<int> inherited, bool keepsOthersOut)
    {
        var plan = new LaunchPlan();
        if (keepsOthersOut)
        {
            plan.Call("keep others out", SystemCall.prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
        }

        foreach (int number in inherited)
        {
            plan.Call("take over a descriptor", SystemCall.fcntl, number, F_SETFD, FD_CLOEXEC);
        }

        return plan;
    }

    static LaunchPlan Execute(FileDescriptor executable, FileDescriptor launch, IEnumerable<int> inherited)
    {
        var plan = new LaunchPlan();
        foreach (int number in inherited.Append(launch.Number))
        {
            plan.Call("hand over a descriptor", SystemCall.fcntl, number, F_SETFD, 0);
        }

        plan.Call(
            "exec the runner", SystemCall.execveat, plan.Descriptor(executable), plan.Text(""), plan.TextArray([Runner.Name, $"{launch.Number}"]),
            plan.TextArray([]), Mounts.AT_EMPTY_PATH);
        return plan;
    }

    static byte* Map(FileDescriptor file, int size)
    {
        Files.SetLength(file, size);
        nint address = mmap(0, size, ReadAndWrite, MAP_SHARED, file.Number, 0);
        if (address == -1)
        {
            Call.Throw("mmap", file.Description);
        }

        return (byte*)address;
    }

    /// <summary>Lets go of the launch's memory; the process, if it is there, goes on.</summary>
    public void Dispose()
    {
        if (!letGo)
        {
            TryProcess();
            letGo = true;
            _ = munmap((nint)start, size);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nint length);
}
