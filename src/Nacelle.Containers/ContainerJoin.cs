using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Plans for a further process in a container that runs.</summary>
/// <remarks>Two plans, because a process that joins a PID namespace is not in it itself, only its children are (setns(2)).</remarks>
public static class ContainerJoin
{
    /// <summary>Joins the container's control groups and then, all at once, its namespaces.</summary>
    /// <param name="target">A process of the container, as <see cref="Processes.TryOpen"/> gives it. Namespaces by descriptor of a process: Linux 5.8.</param>
    public static LaunchPlan Namespaces(FileDescriptor target, IReadOnlyList<FileDescriptor> cgroups)
    {
        var plan = new LaunchPlan();
        foreach (var group in cgroups)
        {
            plan.Call($"join {group}", SystemCall.write, plan.Descriptor(group), plan.Text("0"), 1);
        }

        // A process may not join the user namespace that it is in; then it joins the others alone (setns(2), EINVAL).
        const Namespaces All = Linux.Namespaces.Mount | Linux.Namespaces.Pid | Linux.Namespaces.Ipc | Linux.Namespaces.Uts
            | Linux.Namespaces.Network | Linux.Namespaces.Cgroup;
        var withUsers = plan.Call("join the container's namespaces", SystemCall.setns, plan.Descriptor(target), (long)(All | Linux.Namespaces.User)).Tolerate(Errno.EINVAL);
        plan.Call("join the container's namespaces", SystemCall.setns, plan.Descriptor(target), (long)All);
        withUsers.SkipToHereOnSuccess();
        return plan;
    }

    /// <summary>What the process itself does: the same last steps as the container's first process.</summary>
    /// <param name="console">Receives the terminal's outer side, for a process with a terminal.</param>
    public static LaunchPlan Process(RuntimeProcess process, RuntimeSeccomp? seccomp, FileDescriptor? console)
    {
        var plan = new LaunchPlan();
        plan.Call("start a session", SystemCall.setsid).Tolerate(Errno.EPERM);
        var terminal = default(PlanValue?);
        if (console is not null)
        {
            var root = plan.CallForResult("open the container's root", SystemCall.openat, -100, plan.Text("/"), (long)(OpenFlags.Path | OpenFlags.CloseOnExec));
            terminal = ContainerDevices.OpenTerminal(plan, root, process, console);
            plan.Close(root);
        }

        plan.Call("set umask", SystemCall.umask, process.User.Umask ?? 0x12);
        ContainerProcess.Add(plan, process, seccomp, terminal);
        return plan;
    }
}
