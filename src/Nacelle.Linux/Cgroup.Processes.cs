using System.Globalization;

namespace Nacelle.Linux;

public sealed partial class Cgroup
{
    /// <summary>All processes in the group and in groups below it. Those of foreign PID namespaces, which have no number here, are left out.</summary>
    public IReadOnlyCollection<int> Processes()
    {
        var processes = new SortedSet<int>();
        foreach (var part in parts)
        {
            Collect(part.Directory, processes);
        }

        return processes;
    }

    /// <summary>Sends SIGKILL to every process in the group and below it, also to those that are being forked meanwhile. Does not wait until they are gone.</summary>
    /// <remarks>cgroup.kill, Linux 5.14; before, and in version 1, the group is stopped if it can be, then killed process by process until none is left.</remarks>
    public void Kill()
    {
        if (Unified && TryWrite(parts[0].Directory, "cgroup.kill", "1") is var error and not Errno.ENOENT)
        {
            if (error != Errno.None)
            {
                throw new KernelException($"kill {this}", error);
            }

            return;
        }

        // Freezing is dear (the kernel patches its own code), and mostly everybody has gone already.
        if (Processes().Count == 0)
        {
            return;
        }

        // A SIGKILL reaches a stopped process of version 1 only when it runs again.
        for (int round = 0; round < 100; round++)
        {
            bool stopped = TryFreeze();
            int killed = KillEach();
            if (stopped)
            {
                Thaw();
            }

            if (killed == 0)
            {
                return;
            }

            Thread.Sleep(1);
        }
    }

    /// <summary>Opens what kills the group's processes; the caller owns it.</summary>
    public CgroupKillFile OpenKillFile() =>
        Unified && Files.TryOpen(parts[0].Directory, "cgroup.kill", OpenFlags.WriteOnly, out _) is { } file ? new CgroupKillFile(file, KillsAll: true)
        : new CgroupKillFile(Files.Open(parts[0].Directory, "cgroup.procs", OpenFlags.ReadOnly), KillsAll: false);

    /// <summary>Sends a signal to every process that is in the group, or below it, now.</summary>
    public void Send(Signal signal)
    {
        foreach (int process in Processes())
        {
            using var descriptor = Linux.Processes.TryOpen(process);
            if (descriptor is not null && Processes().Contains(process))
            {
                Linux.Processes.Kill(descriptor, signal);
            }
        }
    }

    /// <summary>Stops all processes of the group and waits until they stand still.</summary>
    /// <exception cref="KernelException">EOPNOTSUPP: there is no freezer; ETIMEDOUT: a process does not come to a halt within two seconds.</exception>
    public void Freeze()
    {
        if (!TryFreeze())
        {
            Thaw();
            throw new KernelException($"freeze {this}", Find(CgroupControllers.Freezer) is null ? Errno.EOPNOTSUPP : Errno.ETIMEDOUT);
        }
    }

    /// <summary>Lets the processes run again.</summary>
    public void Thaw()
    {
        if (Unified)
        {
            TryWrite(parts[0].Directory, "cgroup.freeze", "0");
        }
        else if (Find(CgroupControllers.Freezer) is { } part)
        {
            TryWrite(part.Directory, "freezer.state", "THAWED");
        }
    }

    /// <summary>Whether the processes of the group stand still or are about to, by <see cref="Freeze"/> on it or on a group above, here or in another process.</summary>
    public bool IsFrozen =>
        Find(CgroupControllers.Freezer) is { } part
        && (Unified
            ? Files.TryReadText(part.Directory, "cgroup.freeze") is ['1', ..] || ReadNumber(CgroupControllers.Freezer, "cgroup.events", "frozen ") == 1
            : Files.TryReadText(part.Directory, "freezer.state") is ['F', ..]);

    /// <summary>Removes the group and all groups below it, waiting a little for processes that are just dying.</summary>
    /// <param name="emptyParents">How many of the groups above go too, if they are empty: <see cref="ParentsMade"/> of the one who made the group.</param>
    /// <exception cref="KernelException">EBUSY: processes are in it, named in the message.</exception>
    public void Remove(int emptyParents = 0)
    {
        foreach (var part in parts)
        {
            using var root = Files.Open(part.MountPoint, OpenFlags.Path | OpenFlags.Directory);
            int slash = part.Path.LastIndexOf('/');
            using var parent = slash == 0 ? null : Files.TryOpen(root, part.Path[1..slash], OpenFlags.Path | OpenFlags.Directory, out _);
            if (slash != 0 && parent is null)
            {
                continue;
            }

            // Exit has been told to the parent before the process leaves its group: 1, 2, 4 … 512 ms, a second in all.
            for (int pause = 1; !TryRemoveTree(parent ?? root, part.Path[(slash + 1)..]); pause *= 2)
            {
                if (pause > 512)
                {
                    throw new KernelException($"remove {this} at {part.MountPoint} (in it: {string.Join(", ", Processes().Select(process => $"process {process}"))})", Errno.EBUSY);
                }

                Thread.Sleep(pause);
            }

            for (int level = 0; level < emptyParents && slash > 0; level++, slash = part.Path.LastIndexOf('/', slash - 1))
            {
                Files.TryUnlink(root, part.Path[1..slash], directory: true);
            }
        }
    }

    /// <summary>Removes a group in all hierarchies where it is empty, such as <see cref="DefaultParent"/> after the last pod; otherwise does nothing.</summary>
    public static void TryRemoveEmpty(CgroupLayout layout, string path)
    {
        foreach (var (_, mountPoint, name) in Places(layout, new CgroupPath(path), CgroupControllers.All))
        {
            using var root = Files.Open(mountPoint, OpenFlags.Path | OpenFlags.Directory);
            Files.TryUnlink(root, name[1..], directory: true);
        }
    }

    void RemoveMade()
    {
        foreach (var part in parts.Where(part => part.Made > 0))
        {
            using var root = Files.Open(part.MountPoint, OpenFlags.Path | OpenFlags.Directory);
            Files.TryUnlink(root, part.Path[1..], directory: true);
        }

        Dispose();
    }

    static bool TryRemoveTree(FileDescriptor parent, string name)
    {
        switch (Files.TryUnlink(parent, name, directory: true))
        {
            case Errno.None or Errno.ENOENT: return true;
            case Errno.EBUSY: break;
            case var error: throw new KernelException($"remove cgroup {parent}/{name}", error);
        }

        using var directory = Files.TryOpen(parent, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, out _);
        if (directory is null)
        {
            return true;
        }

        // One that is busy does not keep its siblings from being removed.
        bool all = true;
        foreach (var entry in Directories.List(directory))
        {
            all &= entry.Kind != FileKind.Directory || TryRemoveTree(directory, entry.Name);
        }

        return all && Files.TryUnlink(parent, name, directory: true) is Errno.None or Errno.ENOENT;
    }

    static void Collect(FileDescriptor directory, SortedSet<int> processes)
    {
        try
        {
            foreach (var line in (Files.TryReadText(directory, "cgroup.procs") ?? "").AsSpan().EnumerateLines())
            {
                if (int.TryParse(line, CultureInfo.InvariantCulture, out int process) && process > 0)
                {
                    processes.Add(process);
                }
            }

            foreach (var entry in Directories.List(directory).Where(entry => entry.Kind == FileKind.Directory))
            {
                using var child = Files.TryOpen(directory, entry.Name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, out _);
                if (child is not null)
                {
                    Collect(child, processes);
                }
            }
        }
        catch (KernelException failure) when (failure.Errno is Errno.ENOENT or Errno.ENODEV)
        {
            // Removed meanwhile: nobody is in it.
        }
    }

    /// <summary>A number may come to mean another process between reading and killing: who still stands in the list once its descriptor is open is the one meant.</summary>
    int KillEach()
    {
        var opened = new List<(int Process, FileDescriptor Descriptor)>();
        try
        {
            foreach (int process in Processes())
            {
                if (Linux.Processes.TryOpen(process) is { } descriptor)
                {
                    opened.Add((process, descriptor));
                }
            }

            var still = Processes();
            foreach (var (process, descriptor) in opened.Where(entry => still.Contains(entry.Process)))
            {
                Linux.Processes.Kill(descriptor, Signal.Kill);
            }

            return still.Count;
        }
        finally
        {
            opened.ForEach(entry => entry.Descriptor.Dispose());
        }
    }

    bool TryFreeze()
    {
        if (Find(CgroupControllers.Freezer) is not { } part)
        {
            return false;
        }

        for (int round = 0; round < 2000; round++)
        {
            // In version 1 a process forked just now may slip through: asking again stops it too.
            if (TryWrite(part.Directory, Unified ? "cgroup.freeze" : "freezer.state", Unified ? "1" : "FROZEN") != Errno.None)
            {
                return false;
            }

            var state = Files.TryReadText(part.Directory, Unified ? "cgroup.events" : "freezer.state") ?? "";
            if (Unified ? state.Contains("frozen 1", StringComparison.Ordinal) : state.StartsWith("FROZEN", StringComparison.Ordinal))
            {
                return true;
            }

            Thread.Sleep(1);
        }

        return false;
    }
}
