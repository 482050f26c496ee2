namespace Nacelle.Linux;

/// <summary>Users or groups in a row: those from <paramref name="Inside"/> up in a user namespace are those from <paramref name="Outside"/> up in the one around it.</summary>
public readonly record struct IdRange(uint Inside, uint Outside, uint Count);

/// <summary>User namespaces made by a process that stays outside. See user_namespaces(7).</summary>
public static class UserNamespaces
{
    static readonly FileDescriptor Here = FileDescriptor.WorkingDirectory;

    /// <summary>Whether this process is in the machine's first user namespace, where user 0 is root indeed.</summary>
    public static bool IsInitial => isInitial ??= FindWhetherInitial();

    static bool? isInitial;

    static bool FindWhetherInitial() =>
        (Files.TryReadText(Here, "/proc/self/uid_map") ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is ["0", "0", "4294967295"];

    /// <summary>Writes the maps of a child's new user namespace; once per namespace.</summary>
    /// <remarks>
    /// Who has not the right to map others than himself has it done by newuidmap(1) and newgidmap(1), which know the ranges of subuid(5); and a single
    /// group of one's own takes giving up setgroups(2) first.
    /// </remarks>
    /// <exception cref="KernelException">EPERM: the ranges are not this user's to map; EINVAL: they overlap.</exception>
    public static void WriteMaps(int pid, IReadOnlyList<IdRange> users, IReadOnlyList<IdRange> groups)
    {
        if (TryWrite($"/proc/{pid}/uid_map", users) is { } refused)
        {
            RunMapper("newuidmap", pid, users, refused);
        }

        if (TryWrite($"/proc/{pid}/gid_map", groups) is { } refusedToo)
        {
            if (groups.Count == 1 && groups[0].Count == 1)
            {
                Files.WriteExisting(Here, $"/proc/{pid}/setgroups", "deny");
                Files.WriteExisting(Here, $"/proc/{pid}/gid_map", Text(groups));
            }
            else
            {
                RunMapper("newgidmap", pid, groups, refusedToo);
            }
        }
    }

    /// <summary>A process that keeps a user namespace with those maps, and does nothing else, until it is killed. It is a session of its own, and has no files open.</summary>
    public static Process Keep(IReadOnlyList<IdRange> users, IReadOnlyList<IdRange> groups)
    {
        using var nothing = Files.Open("/dev/null", OpenFlags.ReadWrite);
        var plan = new LaunchPlan();
        for (int i = 0; i < 3; i++)
        {
            plan.Call("connect a standard stream to nothing", SystemCall.dup3, plan.Descriptor(nothing), i, 0);
        }

        plan.Call("start a session", SystemCall.setsid);
        plan.Call("enter /", SystemCall.chdir, plan.Text("/"));
        plan.Call("close all else", SystemCall.close_range, 3, int.MaxValue, 0);
        plan.Call("unblock signals", SystemCall.rt_sigprocmask, 2, plan.Bytes(stackalloc byte[8]), 0, 8);
        plan.Call("wait to be killed", SystemCall.ppoll, 0, 0, 0, 0, 0);
        using var launch = Launch.Begin([], [new PlanImage(plan)], Namespaces.User);
        var process = launch.Process;
        try
        {
            WriteMaps(process.Id, users, groups);
            return process;
        }
        catch
        {
            Processes.Kill(process.Id, Signal.Kill);
            process.Wait();
            throw;
        }
    }

    /// <summary>A user namespace with those maps and nobody in it, for mounts that show owners through them.</summary>
    public static FileDescriptor Create(IReadOnlyList<IdRange> users, IReadOnlyList<IdRange> groups)
    {
        var (waiting, go) = Files.CreatePipe("user namespace");
        using (waiting)
        {
            var plan = new LaunchPlan();
            plan.Call("wait", SystemCall.read, plan.Descriptor(waiting), LaunchPlan.AddressOf(plan.NewCell()), 1).AtLeast(1);
            using var launch = Launch.Begin([], [new PlanImage(plan)], Namespaces.User);
            var process = launch.Process;
            try
            {
                WriteMaps(process.Id, users, groups);
                return Files.Open($"/proc/{process.Id}/ns/user", OpenFlags.ReadOnly);
            }
            finally
            {
                Processes.Kill(process.Id, Signal.Kill);
                process.Wait();
                go.Dispose();
            }
        }
    }

    static KernelException? TryWrite(string file, IReadOnlyList<IdRange> ranges)
    {
        try
        {
            Files.WriteExisting(Here, file, Text(ranges));
            return null;
        }
        catch (KernelException problem) when (problem.Errno == Errno.EPERM)
        {
            return problem;
        }
    }

    static string Text(IReadOnlyList<IdRange> ranges) => string.Concat(ranges.Select(range => $"{range.Inside} {range.Outside} {range.Count}\n"));

    static void RunMapper(string program, int pid, IReadOnlyList<IdRange> ranges, KernelException refused)
    {
        var path = ((ReadOnlySpan<string>)["/usr/bin/", "/bin/", "/usr/local/bin/"]).ToArray().Select(directory => directory + program).FirstOrDefault(File.Exists);
        if (path is null)
        {
            throw refused;
        }

        List<string> arguments = [program, $"{pid}"];
        foreach (var range in ranges)
        {
            arguments.AddRange([$"{range.Inside}", $"{range.Outside}", $"{range.Count}"]);
        }

        var plan = new LaunchPlan();
        plan.Call($"exec {path}", SystemCall.execve, plan.Text(path), plan.TextArray(arguments), plan.TextArray([]));
        if (Launcher.Start(plan).Wait() is { ShellCode: not 0 and var code })
        {
            throw new KernelException($"map ids with {program} (which ended with code {code})", Errno.EPERM);
        }
    }
}
