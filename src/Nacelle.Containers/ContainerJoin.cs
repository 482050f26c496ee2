using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Plans for a further process in a container that runs.</summary>
/// <remarks>Two plans, because a process that joins a PID namespace is not in it itself, only its children are (setns(2)).</remarks>
public static class ContainerJoin
{
    const Namespaces All = Linux.Namespaces.Mount | Linux.Namespaces.Pid | Linux.Namespaces.Ipc | Linux.Namespaces.Uts
        | Linux.Namespaces.Network | Linux.Namespaces.Cgroup | Linux.Namespaces.Time;

    /// <summary>Joins the container's control groups and then, all at once, its namespaces.</summary>
    /// <param name="target">A process of the container, as <see cref="Processes.TryOpen"/> gives it. Namespaces by descriptor of a process: Linux 5.8.</param>
    /// <param name="cgroups">The files that <see cref="Cgroup.OpenJoinFiles"/> opens.</param>
    /// <param name="setting">What the process inside gets; null for one that gets its standard streams only.</param>
    /// <param name="affinity">The processors to run on until the control groups are joined, and from then on.</param>
    /// <remarks>
    /// CVE-2016-9962: a process of the container that may trace others can stop the new one in the very moment in which it is born, and look at what it has open.
    /// So all that it does not need is closed before, in the process in between, which the container does not see.
    /// </remarks>
    public static LaunchPlan Namespaces(
        FileDescriptor target, IReadOnlyList<FileDescriptor> cgroups, JoinSetting? setting, RuntimeCpuAffinity? affinity = null)
    {
        var plan = new LaunchPlan();
        if (affinity?.Initial is { Length: > 0 } initial)
        {
            ContainerScheduling.SetAffinity(plan, initial, "process.execCPUAffinity.initial");
        }

        foreach (var group in cgroups)
        {
            plan.Call($"join {group}", SystemCall.write, plan.Descriptor(group), plan.Text("0"), 1);
        }

        if (affinity?.Final is { Length: > 0 } final)
        {
            ContainerScheduling.SetAffinity(plan, final, "process.execCPUAffinity.final");
        }

        // A process may not join the user namespace that it is in (EINVAL), and one without privileges not those that its container shares with the host
        // (EPERM); setns(2).
        const string Operation = "join the container's namespaces";
        var own = setting?.Own ?? All;
        var withUsers = plan.Call(Operation, SystemCall.setns, plan.Descriptor(target), (long)(All | Linux.Namespaces.User)).Tolerate(Errno.EINVAL, Errno.EPERM);
        var withoutUsers = plan.Call(Operation, SystemCall.setns, plan.Descriptor(target), (long)All).Tolerate(Errno.EPERM);
        plan.Call(Operation, SystemCall.setns, plan.Descriptor(target), (long)own);
        withUsers.SkipToHereOnSuccess();
        withoutUsers.SkipToHereOnSuccess();
        plan.CloseAllBut(3 + (setting?.PreservedDescriptors ?? 0), setting?.Numbers ?? []);
        return plan;
    }

    /// <summary>What the process itself does: the same last steps as the container's first process.</summary>
    public static LaunchPlan Process(RuntimeProcess process, RuntimeSeccomp? seccomp, JoinSetting setting)
    {
        var plan = new LaunchPlan();
        setting.Handshake?.Begin(plan);
        plan.Call("start a session", SystemCall.setsid).Tolerate(Errno.EPERM);
        if (setting.HasUsers)
        {
            ContainerIdentity.BecomeRoot(plan);
        }

        if (process is { OomScoreAdj: not null } or { ApparmorProfile: not null } or { SelinuxLabel: not null })
        {
            var proc = ContainerKernelFiles.OpenProc(plan, setting.Proc);
            ContainerKernelFiles.SetOutOfMemoryScore(plan, proc, process);
            ContainerKernelFiles.SetLabels(plan, proc, process);
        }

        var terminal = default(PlanValue?);
        if (setting.ConsoleSocket is not null)
        {
            var root = plan.CallForResult("open the container's root", SystemCall.openat, -100, plan.Text("/"), (long)(OpenFlags.Path | OpenFlags.CloseOnExec));
            terminal = ContainerTerminal.Open(plan, root, process, setting.ConsoleSocket);
            plan.Close(root);
        }

        if (process.User.Umask is { } umask)
        {
            plan.Call("set umask", SystemCall.umask, umask);
        }

        ContainerProcess.Add(plan, process, new ProcessSetting
        {
            Seccomp = seccomp,
            Terminal = terminal,
            Handshake = setting.Handshake,
            PreservedDescriptors = setting.PreservedDescriptors,
            KeyringName = setting.KeyringName,
            Program = setting.Program,
            Grantable = ContainerIdentity.Grantable(setting.HasUsers),
        });
        return plan;
    }
}

/// <summary>What a process that joins a container finds; see <see cref="ContainerSetting"/> for the members of the same names.</summary>
public sealed record JoinSetting
{
    public FileDescriptor? ConsoleSocket { get; init; }

    public FileDescriptor? Proc { get; init; }

    public ContainerHandshake? Handshake { get; init; }

    public int PreservedDescriptors { get; init; }

    public string? KeyringName { get; init; }

    /// <summary>The path of the program, where its first argument does not name it.</summary>
    public string? Program { get; init; }

    /// <summary>The container has a user namespace that is not the caller's.</summary>
    public bool HasUsers { get; init; }

    /// <summary>The namespaces that the container does not share with its maker; null for all.</summary>
    public Namespaces? Own { get; init; }

    /// <summary>Standard input, where it is not the caller's own.</summary>
    public FileDescriptor? Input { get; init; }

    /// <summary>The descriptors that the process inside starts with.</summary>
    internal IEnumerable<int> Numbers =>
        ((IEnumerable<FileDescriptor?>)[ConsoleSocket, Proc, Input]).Where(one => one is not null).Select(one => one!.Number)
            .Concat(Handshake?.Numbers ?? []);
}
