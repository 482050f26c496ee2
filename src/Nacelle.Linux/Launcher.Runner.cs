namespace Nacelle.Linux;

/// <remarks>What needs more than that is done by the runner: see <see cref="Launch"/>.</remarks>
public static partial class Launcher
{
    /// <summary>Starts a program from inside namespaces that a first plan joins, and returns as soon as it runs.</summary>
    /// <param name="outer">Carried out by a process in between.</param>
    /// <param name="inner">Carried out by the process that stays, a child of the caller.</param>
    /// <param name="cgroup">See <see cref="Launch.Begin"/>.</param>
    /// <exception cref="KernelException">As for <see cref="Start(LaunchPlan, Namespaces)"/>.</exception>
    public static Process StartInside(PlanImage outer, PlanImage inner, FileDescriptor? cgroup = null)
    {
        using var launch = Launch.Begin([outer], [inner], cgroup: cgroup, untilExecuted: true);
        return launch.Started();
    }

    /// <summary>As <see cref="Start(PlanImage, Namespaces)"/>, and the child is born in a control group of version 2.</summary>
    public static Process StartIn(FileDescriptor cgroup, PlanImage plan, Namespaces namespaces = Namespaces.None)
    {
        using var launch = Launch.Begin([], [plan], namespaces, cgroup, untilExecuted: true);
        return launch.Started();
    }

    /// <summary>
    /// Starts the plan's program in a new user namespace and others, which the new namespace owns: the child waits, before its first step, until its maps
    /// are written, which only a process outside can do.
    /// </summary>
    /// <param name="map">Of its users and of its groups.</param>
    /// <exception cref="KernelException">As for <see cref="Start(LaunchPlan, Namespaces)"/>; also what writing the maps throws.</exception>
    public static Process StartMapped(LaunchPlan plan, Namespaces namespaces, IReadOnlyList<IdRange> map)
    {
        var (waiting, go) = Files.CreatePipe("user namespace");
        var (ended, running) = Files.CreatePipe("user namespace");
        using (waiting)
        using (go)
        using (ended)
        using (running)
        {
            var first = new LaunchPlan();
            first.Descriptor(running);
            first.Call("wait for the user namespace's maps", SystemCall.read, first.Descriptor(waiting), LaunchPlan.AddressOf(first.NewCell()), 1).AtLeast(1);
            using var launch = Launch.Begin([], [new PlanImage(first), new PlanImage(plan)], namespaces | Namespaces.User);
            var process = launch.Process;
            try
            {
                UserNamespaces.WriteMaps(process.Id, map, map);
                Files.Write(go, [1]);
                running.Dispose();
                Files.Read(ended, stackalloc byte[1]); // ends when the child's copy is closed, by its exec or its death
                return launch.Started();
            }
            catch (KernelException) when (launch.Failure is null)
            {
                Processes.Kill(process.Id, Signal.Kill);
                process.Wait();
                throw;
            }
        }
    }
}
