using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The maker's side of a container's making: the process, its maps, what is done for it from outside, until only its start is missing.</summary>
/// <remarks>When the maker dies before <see cref="Release"/>, the process ends by itself. See <see cref="ContainerHandshake"/>.</remarks>
public sealed class ContainerBirth : IDisposable
{
    readonly FileDescriptor socket;
    readonly Launch launch;
    bool released;

    ContainerBirth(FileDescriptor socket, Launch launch)
    {
        this.socket = socket;
        this.launch = launch;
    }

    /// <summary>A child of the caller's.</summary>
    public Process Process => launch.Process;

    /// <summary>Makes the process; it does nothing yet.</summary>
    /// <param name="setting">Its handshake and what was joined beforehand are filled in here.</param>
    /// <param name="start">See <see cref="ContainerHandshake.Start"/>.</param>
    /// <param name="cgroup">A directory of version 2 to be born in, or null.</param>
    /// <param name="planFile">A new file that keeps the launch for who starts the container, or null.</param>
    public static ContainerBirth Begin(RuntimeConfig config, ContainerSetting setting, FileDescriptor? start, FileDescriptor? cgroup, FileDescriptor? planFile) =>
        Begin(
            socket =>
            {
                var first = ContainerNamespaces.JoinFirst(config, out var joined);
                var plan = ContainerPlan.Build(config, setting with { Handshake = new ContainerHandshake(socket, start), Joined = joined });
                return (first, plan);
            },
            ContainerNamespaces.ToMake(config), cgroup, planFile);

    /// <summary>As <see cref="Begin(RuntimeConfig, ContainerSetting, FileDescriptor?, FileDescriptor?, FileDescriptor?)"/>, for a further process of a container.</summary>
    /// <param name="setting">Its handshake is filled in here.</param>
    /// <param name="outer">The plan that joins the container.</param>
    /// <param name="inner">The plan of the process itself.</param>
    public static ContainerBirth Join(JoinSetting setting, Func<JoinSetting, LaunchPlan> outer, Func<JoinSetting, LaunchPlan> inner, FileDescriptor? cgroup) =>
        Begin(
            socket =>
            {
                var whole = setting with { Handshake = new ContainerHandshake(socket, null) };
                return (outer(whole), inner(whole));
            },
            Namespaces.None, cgroup, null);

    static ContainerBirth Begin(
        Func<FileDescriptor, (LaunchPlan? Outer, LaunchPlan Inner)> plans, Namespaces namespaces, FileDescriptor? cgroup, FileDescriptor? planFile)
    {
        var (outside, inside) = Sockets.CreatePair("the container's process");
        using (inside)
        {
            try
            {
                var (outer, inner) = plans(inside);
                return new ContainerBirth(
                    outside, Launch.Begin(outer is null ? [] : [new PlanImage(outer)], [new PlanImage(inner)], namespaces, cgroup, file: planFile));
            }
            catch
            {
                outside.Dispose();
                throw;
            }
        }
    }

    /// <summary>Lets the process go until only its start is missing, and does for it what it asks for on the way.</summary>
    /// <param name="maps">Has the mappings of the process's own user namespace; null when there is none to be mapped.</param>
    /// <exception cref="KernelException">A step of the process failed; it has ended and been waited for.</exception>
    public void UntilReady(RuntimeLinux? maps, Action? whenMounted, Action<FileDescriptor>? whenListening)
    {
        if (maps is not null)
        {
            UserNamespaces.WriteMaps(Process.Id, IdRanges.Of(maps.UidMappings), IdRanges.Of(maps.GidMappings));
        }

        var word = new byte[1];
        do
        {
            Answer();
            int length = Sockets.Receive(socket, word, out var descriptor);
            using (descriptor)
            {
                if (length == 0)
                {
                    released = true;
                    Process.Wait();
                    throw launch.Failure ?? new KernelException("make the container's process, which was killed", Errno.ECANCELED);
                }

                if (word[0] == ContainerHandshake.Mounted)
                {
                    whenMounted?.Invoke();
                }
                else if (word[0] == ContainerHandshake.Listener)
                {
                    whenListening?.Invoke(descriptor!);
                }
            }
        }
        while (word[0] != ContainerHandshake.Ready);
    }

    /// <summary>From here on the process needs its maker no more: it waits for its start, or runs its program at once.</summary>
    public void Release()
    {
        Answer();
        released = true;
    }

    /// <summary>For a process that runs its program at once: waits until it does.</summary>
    /// <exception cref="KernelException">The program could not be executed; the process has been waited for.</exception>
    public void UntilExecuted()
    {
        Sockets.Receive(socket, new byte[1], out _); // ends when the exec closes the process's side, or its death does
        if (launch.Failure is { } failure)
        {
            Process.Wait();
            throw failure;
        }
    }

    void Answer() => Files.Write(socket, [1]);

    /// <summary>Ends a process that was not released.</summary>
    public void Dispose()
    {
        if (!released && launch.TryProcess() is { } process)
        {
            Processes.Kill(process.Id, Signal.Kill);
            process.Wait();
        }

        socket.Dispose();
        launch.Dispose();
    }
}
