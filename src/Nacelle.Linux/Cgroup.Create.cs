namespace Nacelle.Linux;

public sealed partial class Cgroup
{
    /// <summary>Makes a new group, with parents where they are missing.</summary>
    /// <param name="layout">From <see cref="CgroupLayout.Detect"/>.</param>
    /// <param name="path">Absolute, from the root of every hierarchy; the last name must be new.</param>
    /// <param name="controllers">What will be limited or counted. Controllers that the machine lacks are left out: see <see cref="Controllers"/>.</param>
    /// <exception cref="KernelException">EEXIST: there is such a group; EROFS, EACCES, EPERM: not allowed here; ENOENT: no cgroups are mounted.</exception>
    public static Cgroup Create(CgroupLayout layout, string path, CgroupControllers controllers) =>
        Make(layout, new CgroupPath(path), controllers, mayExist: false);

    /// <summary>As <see cref="Create"/>, and takes directories that are there already: see <see cref="RequireUnused"/>.</summary>
    /// <remarks>
    /// An unprivileged caller may have been given some hierarchies of version 1 and not others: those are left out as well, and a limit of theirs
    /// says so in <see cref="Apply"/>.
    /// </remarks>
    /// <exception cref="KernelException">EROFS, EACCES, EPERM: nothing may be made in any hierarchy; ENOENT: no cgroups are mounted.</exception>
    public static Cgroup OpenOrCreate(CgroupLayout layout, CgroupPath path, CgroupControllers controllers) => Make(layout, path, controllers, mayExist: true);

    /// <summary>Opens a group that was made earlier, in all the hierarchies where it is; null where there is none of that path.</summary>
    public static Cgroup? TryOpen(CgroupLayout layout, string path) => TryOpen(layout, new CgroupPath(path));

    /// <summary>Opens a group that was made earlier, in all the hierarchies where it is; null where there is none of that path.</summary>
    public static Cgroup? TryOpen(CgroupLayout layout, CgroupPath path)
    {
        var group = new Cgroup(layout, path) { mayHaveDeviceProgram = true };
        foreach (var (here, mountPoint, name) in Places(layout, path, CgroupControllers.All))
        {
            using var root = Files.Open(mountPoint, OpenFlags.Path | OpenFlags.Directory);
            if (Files.TryOpen(root, name[1..], OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, out _) is { } directory)
            {
                group.parts.Add(new Part(here, directory, mountPoint, name, Made: 0));
                group.Controllers |= group.Unified ? ReadControllers(directory) | WithoutController : here;
            }
        }

        return group.parts.Count > 0 ? group : null;
    }

    /// <summary>
    /// Sees to it that a group in use has further controllers, as far as they can be had: in version 1 by making it in their hierarchies too, and moving
    /// its processes there, which is slow. What cannot be had is told by <see cref="Apply"/>.
    /// </summary>
    public void Extend(CgroupControllers controllers)
    {
        if ((controllers & ~Controllers) == 0)
        {
            return;
        }

        if (Unified)
        {
            Controllers = EnableControllers(controllers);
            return;
        }

        foreach (var (here, mountPoint, name) in Places(layout, FullPath, controllers & ~Controllers))
        {
            var part = MakePart(here, mountPoint, name, mayExist: true);
            parts.Add(part);
            Controllers |= here;

            // Those that are forked meanwhile by one who is not there yet come in a later round; a process that is just ending cannot be moved.
            for (List<int> before = [], outside = Outside(part); !outside.SequenceEqual(before); (before, outside) = (outside, Outside(part)))
            {
                outside.ForEach(process => TryWrite(part.Directory, "cgroup.procs", $"{process}"));
            }
        }
    }

    /// <summary>The processes that the group has in other hierarchies only.</summary>
    List<int> Outside(Part part)
    {
        var inside = new SortedSet<int>();
        Collect(part.Directory, inside);
        return [.. Processes().Except(inside)];
    }

    /// <summary>Opens the group that a process is in; null where there is none.</summary>
    /// <exception cref="KernelException">ESRCH: no such process.</exception>
    public static Cgroup? TryOpenOf(CgroupLayout layout, int process) => TryOpen(layout, CgroupPath.Of(layout, $"{process}"));

    /// <summary>Opens a group below this one.</summary>
    /// <param name="name">One name or several with slashes between them.</param>
    public Cgroup? TryOpenBelow(string name) => TryOpen(layout, FullPath.Below(name));

    /// <summary>Sees to it that nobody else uses the group, as a new container wants it.</summary>
    /// <exception cref="KernelException">EBUSY: processes are in it or below, named in the message; or it is frozen.</exception>
    public void RequireUnused()
    {
        if (parts.TrueForAll(part => part.Made > 0))
        {
            return;
        }

        if (Processes() is { Count: > 0 } processes)
        {
            throw new KernelException($"use {this}, which is not empty (in it: {string.Join(", ", processes.Select(process => $"process {process}"))})", Errno.EBUSY);
        }

        if (IsFrozen)
        {
            throw new KernelException($"use {this}, which is frozen", Errno.EBUSY);
        }
    }

    static Cgroup Make(CgroupLayout layout, CgroupPath path, CgroupControllers controllers, bool mayExist)
    {
        if (layout.Kind == CgroupKind.None)
        {
            throw new KernelException($"create cgroup {path}: find where cgroups are mounted", Errno.ENOENT);
        }

        var group = new Cgroup(layout, path);
        try
        {
            KernelException? refusal = null;
            foreach (var (here, mountPoint, name) in Places(layout, path, controllers))
            {
                try
                {
                    group.parts.Add(MakePart(here, mountPoint, name, mayExist));
                }
                catch (KernelException failure) when (mayExist && failure.Errno is Errno.EACCES or Errno.EPERM or Errno.EROFS)
                {
                    refusal ??= failure;
                }
            }

            if (refusal is not null)
            {
                group.missingReason = group.parts.Count > 0 ? refusal.Message : throw refusal;
            }

            group.mayHaveDeviceProgram = group.parts.Exists(part => part.Made == 0);
            group.Controllers = group.Unified ? group.EnableControllers(controllers) : group.parts.Aggregate(CgroupControllers.None, (all, part) => all | part.Controllers);
            return group;
        }
        catch
        {
            group.RemoveMade();
            throw;
        }
    }

    /// <summary>The hierarchies in which a group with these controllers has a directory, and the path there.</summary>
    static IEnumerable<(CgroupControllers Controllers, string MountPoint, string Path)> Places(CgroupLayout layout, CgroupPath path, CgroupControllers controllers)
    {
        if (layout.Kind == CgroupKind.Unified)
        {
            yield return (CgroupControllers.None, layout.UnifiedMountPoint!, path.First);
            yield break;
        }

        foreach (var (here, mountPoint) in layout.Hierarchies)
        {
            if ((here & controllers) != 0 && path.In(here) is { } name)
            {
                yield return (here, mountPoint, name);
            }
        }
    }

    static Part MakePart(CgroupControllers controllers, string mountPoint, string path, bool mayExist)
    {
        using var root = Files.Open(mountPoint, OpenFlags.Path | OpenFlags.Directory);
        string name = path[1..];
        int made = 0;

        // Whoever removes empty parents may do so between two of these steps; then they are made again.
        for (int round = 0; ; round++)
        {
            try
            {
                if (Files.EnsureDirectory(root, name))
                {
                    made++;
                }
                else if (!mayExist)
                {
                    throw new KernelException($"create directory {mountPoint}{path}", Errno.EEXIST);
                }

                break;
            }
            catch (KernelException failure) when (failure.Errno == Errno.ENOENT && round < 10)
            {
                made = MakeParents(root, name);
            }
        }

        try
        {
            if ((controllers & CgroupControllers.CpuSet) != 0)
            {
                InheritCpuSet(root, name, "cpuset.cpus");
                InheritCpuSet(root, name, "cpuset.mems");
            }

            return new Part(controllers, Files.Open(root, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow), mountPoint, path, made);
        }
        catch
        {
            if (made > 0)
            {
                Files.TryUnlink(root, name, directory: true);
            }

            throw;
        }
    }

    /// <returns>How many were made now.</returns>
    static int MakeParents(FileDescriptor root, string name)
    {
        int made = 0;
        for (int slash = name.IndexOf('/'); slash > 0; slash = name.IndexOf('/', slash + 1))
        {
            try
            {
                made += Files.EnsureDirectory(root, name[..slash]) ? 1 : 0;
            }
            catch (KernelException failure) when (failure.Errno == Errno.ENOENT)
            {
                break;
            }
        }

        return made;
    }

    /// <summary>A new cpuset of version 1 has no processors and takes no process until it has some: it gets its parent's, and so do those above it.</summary>
    /// <returns>What it has.</returns>
    static string InheritCpuSet(FileDescriptor root, string name, string file)
    {
        string path = name.Length == 0 ? file : $"{name}/{file}";
        string own = (Files.TryReadText(root, path) ?? "").Trim();
        if (own.Length > 0 || name.Length == 0)
        {
            return own;
        }

        string inherited = InheritCpuSet(root, name.LastIndexOf('/') is var slash and > 0 ? name[..slash] : "", file);
        Files.WriteExisting(root, path, inherited);
        return inherited;
    }
}
