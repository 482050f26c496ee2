using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Which namespaces a container gets, which it joins, and in what order.</summary>
public static class ContainerNamespaces
{
    /// <summary>The namespaces that the process is created in. Those joined by path, and those that it makes itself later, are not among them.</summary>
    public static Namespaces ToMake(RuntimeConfig config)
    {
        var made = Namespaces.None;
        foreach (var one in config.Linux?.Namespaces ?? [])
        {
            made |= one.Path is null && one.Type is not ("cgroup" or "time") ? ByType(one.Type) : Namespaces.None;
        }

        return made;
    }

    /// <summary>All the namespaces that are not shared with the maker, made or joined.</summary>
    public static Namespaces Own(RuntimeConfig config)
    {
        var own = Namespaces.None;
        foreach (var one in config.Linux?.Namespaces ?? [])
        {
            own |= ByType(one.Type);
        }

        return own;
    }

    /// <summary>
    /// The plan for a process in between, which joins what only holds for a process's children (PID) and what owns all the others (user);
    /// null when there is nothing of the kind.
    /// </summary>
    /// <param name="joined">What the plan joins.</param>
    public static LaunchPlan? JoinFirst(RuntimeConfig config, out Namespaces joined)
    {
        joined = Namespaces.None;
        var plan = default(LaunchPlan?);
        foreach (var type in (ReadOnlySpan<string>)["user", "pid"])
        {
            foreach (var one in config.Linux?.Namespaces ?? [])
            {
                if (one.Type == type && one.Path is { } path)
                {
                    plan ??= new LaunchPlan();
                    Join(plan, type, path);
                    joined |= ByType(type);
                }
            }
        }

        return plan;
    }

    internal static void Join(LaunchPlan plan, RuntimeLinux linux, Namespaces joined)
    {
        foreach (var one in linux.Namespaces)
        {
            if (one.Path is { } path && (ByType(one.Type) & joined) == 0)
            {
                Join(plan, one.Type, path);
            }
        }
    }

    /// <summary>Makes a time namespace, sets its clocks, which can be done as long as nobody is in it, and enters. See time_namespaces(7).</summary>
    internal static void MakeTime(LaunchPlan plan, RuntimeLinux linux, PlanValue proc)
    {
        if (!linux.Namespaces.Any(one => one.Type == "time" && one.Path is null))
        {
            return;
        }

        plan.Call("unshare the time namespace", SystemCall.unshare, (long)Namespaces.Time);
        foreach (var (clock, offset) in linux.TimeOffsets ?? new Dictionary<string, RuntimeTimeOffset>())
        {
            plan.WriteTo(proc, "self/timens_offsets", $"{clock} {offset.Secs} {offset.Nanosecs}\n", $"set the clock {clock}");
        }

        var made = plan.CallForResult(
            "open the time namespace", SystemCall.openat, proc, plan.Text("self/ns/time_for_children"), (long)(OpenFlags.ReadOnly | OpenFlags.CloseOnExec));
        plan.Call("enter the time namespace", SystemCall.setns, made, (long)Namespaces.Time);
        plan.Close(made);
    }

    static void Join(LaunchPlan plan, string type, string path)
    {
        var opened = plan.CallForResult($"open {type} namespace {path}", SystemCall.openat, -100, plan.Text(path), (long)OpenFlags.CloseOnExec);
        plan.Call($"join {type} namespace {path}", SystemCall.setns, opened, (long)ByType(type));
        plan.Close(opened);
    }

    internal static Namespaces ByType(string type) => type switch
    {
        "pid" => Namespaces.Pid,
        "network" => Namespaces.Network,
        "mount" => Namespaces.Mount,
        "ipc" => Namespaces.Ipc,
        "uts" => Namespaces.Uts,
        "user" => Namespaces.User,
        "cgroup" => Namespaces.Cgroup,
        "time" => Namespaces.Time,
        _ => throw new SpecException("linux.namespaces", $"'{type}' is no namespace: use pid, network, mount, ipc, uts, user, cgroup or time"),
    };
}
