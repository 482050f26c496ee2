using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Turns a bundle's config.json into the launch plan of its process: from fresh namespaces to the exec.</summary>
/// <remarks>
/// The plan runs in a child of whoever launches it, in new namespaces as <see cref="ContainerNamespaces.ToMake"/> says. The order matters:
/// what needs privileges comes before they are given up, and what the container could influence is opened inside its root only.
/// </remarks>
public static class ContainerPlan
{
    public static LaunchPlan Build(RuntimeConfig config, ContainerSetting setting)
    {
        var plan = new LaunchPlan();
        var linux = config.Linux ?? new RuntimeLinux();
        var own = ContainerNamespaces.Own(config);
        if ((own & Namespaces.Mount) == 0 && (config.Mounts.Count > 0 || linux.MaskedPaths.Count > 0 || linux.ReadonlyPaths.Count > 0 || config.Root is { Readonly: true }))
        {
            throw new SpecException("linux.namespaces", "has no mount namespace, without which mounts, maskedPaths, readonlyPaths and a read-only root would change the host");
        }

        setting.Handshake?.Begin(plan);
        plan.Call("start a session", SystemCall.setsid).Tolerate(Errno.EPERM);
        if ((own & Namespaces.User) != 0)
        {
            ContainerIdentity.BecomeRoot(plan);
        }

        JoinCgroups(plan, linux, setting);
        ContainerNamespaces.Join(plan, linux, setting.Joined);
        var proc = ContainerKernelFiles.AreNeeded(config) ? ContainerKernelFiles.OpenProc(plan, setting.Proc) : default(PlanValue?);
        if (proc is { } files)
        {
            ContainerNamespaces.MakeTime(plan, linux, files);
        }

        var cover = ContainerPaths.MakeCover(plan, linux);
        var root = (own & Namespaces.Mount) != 0 ? ContainerRoot.Attach(plan, setting, cover) : ContainerRoot.Open(plan, setting);
        ContainerMounts.Add(plan, root, config, setting);
        var terminal = ContainerDevices.Add(plan, root, config, setting);
        ContainerPaths.Add(plan, root, linux, cover);
        if (config.Process is { } first)
        {
            plan.Close(plan.OpenTarget(root, first.Cwd, asFile: false));
        }

        SetKernelFiles(plan, proc, config, linux);
        if (HasHooks(config.Hooks))
        {
            setting.Handshake?.Say(plan, ContainerHandshake.Mounted, "wait for hooks");
        }

        EnterRoot(plan, root, config, setting, own);
        SetNames(plan, config);
        ContainerProcess.Add(plan, config.Process ?? Nothing, new ProcessSetting
        {
            Seccomp = linux.Seccomp,
            Terminal = terminal,
            Handshake = setting.Handshake,
            PreservedDescriptors = setting.PreservedDescriptors,
            Sockets = setting.Sockets,
            KeyringName = setting.KeyringName,
            Grantable = ContainerIdentity.Grantable((own & Namespaces.User) != 0),
            Personality = linux.Personality,
            MemoryPolicy = linux.MemoryPolicy,
        });
        return plan;
    }

    /// <summary>Whether something has to run between the mounts and the entering of the root.</summary>
    public static bool HasHooks(RuntimeHooks? hooks) =>
        hooks is { Prestart.Count: > 0 } or { CreateRuntime.Count: > 0 } or { CreateContainer.Count: > 0 };

    /// <summary>The paths in the container that a process's program may stand for, in the order in which they are tried.</summary>
    public static IReadOnlyList<string> ProgramCandidates(RuntimeProcess process) => ContainerProcess.Candidates(process.Args[0], process.Env);

    /// <summary>A container may be created without a process; it just cannot be started (runtime.md, "Start").</summary>
    static readonly RuntimeProcess Nothing = new() { Cwd = "/", Args = ["/"] };

    static void JoinCgroups(LaunchPlan plan, RuntimeLinux linux, ContainerSetting setting)
    {
        foreach (var group in setting.Cgroups)
        {
            plan.Call($"join {group}", SystemCall.write, plan.Descriptor(group), plan.Text("0"), 1);
        }

        // A new cgroup namespace has its root where its first process is, so it is made after joining. See cgroup_namespaces(7).
        if (linux.Namespaces.Any(one => one.Type == "cgroup" && one.Path is null))
        {
            plan.Call("unshare the cgroup namespace", SystemCall.unshare, (long)Namespaces.Cgroup);
        }
    }

    static void SetKernelFiles(LaunchPlan plan, PlanValue? proc, RuntimeConfig config, RuntimeLinux linux)
    {
        if (proc is not { } files)
        {
            return;
        }

        ContainerKernelFiles.SetParameters(plan, files, linux);
        if (config.Process is { } process)
        {
            ContainerKernelFiles.SetOutOfMemoryScore(plan, files, process);
            ContainerKernelFiles.SetLabels(plan, files, process);
        }
    }

    static void EnterRoot(LaunchPlan plan, PlanValue root, RuntimeConfig config, ContainerSetting setting, Namespaces own)
    {
        if ((own & Namespaces.Mount) != 0)
        {
            ContainerRoot.Enter(plan, root, config, setting);
        }
        else
        {
            ContainerRoot.ChangeTo(plan, root);
        }
    }

    static void SetNames(LaunchPlan plan, RuntimeConfig config)
    {
        if (config.Hostname is { Length: > 0 } hostname)
        {
            plan.Call($"set host name {hostname}", SystemCall.sethostname, plan.Text(hostname), hostname.Length);
        }

        if (config.Domainname is { Length: > 0 } domain)
        {
            plan.Call($"set domain name {domain}", SystemCall.setdomainname, plan.Text(domain), domain.Length);
        }
    }
}
