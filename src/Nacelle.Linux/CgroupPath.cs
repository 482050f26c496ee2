namespace Nacelle.Linux;

/// <summary>Where a group is: one path in all hierarchies, or one for each of them when it was found below a process's own groups.</summary>
public sealed class CgroupPath
{
    /// <summary>The hierarchies of version 1 by their controllers; one entry for none when the path is the same everywhere.</summary>
    readonly (CgroupControllers Controllers, string Path)[] paths;

    /// <param name="path">Absolute, from the root of every hierarchy, without empty names and dots for names; "/" is not a group that can be used.</param>
    public CgroupPath(string path)
        : this([(CgroupControllers.None, path)]) => Check(path);

    CgroupPath((CgroupControllers Controllers, string Path)[] paths) => this.paths = paths;

    internal string First => paths[0].Path;

    /// <summary>Reads <c>linux.cgroupsPath</c> of an OCI configuration: absolute from the mount point; relative from the caller's own groups.</summary>
    /// <remarks>
    /// In version 2 a relative path starts beside the caller's own group, not below it: that one has the caller in it, so groups below could have
    /// no controllers (cgroups(7), "no internal processes"). runc does the same.
    /// </remarks>
    /// <exception cref="ArgumentException">The path leads nowhere, or upwards.</exception>
    /// <exception cref="KernelException">ENOENT: relative, and the own group lies outside of what is mounted here.</exception>
    public static CgroupPath Resolve(CgroupLayout layout, string cgroupsPath)
    {
        string name = string.Join('/', cgroupsPath.Split('/').Where(part => part is not ("" or ".")));
        if (cgroupsPath.StartsWith('/'))
        {
            return new CgroupPath("/" + name);
        }

        Check("/" + name);
        var own = Of(layout, "self");
        bool unified = layout.Kind == CgroupKind.Unified;
        var paths = own.paths.Select(entry => (entry.Controllers, Path: Join(unified ? entry.Path[..entry.Path.LastIndexOf('/')] : entry.Path, name))).ToArray();
        foreach (var (_, path) in paths)
        {
            if (path.Contains("/../", StringComparison.Ordinal))
            {
                throw new KernelException($"find the own cgroup: {path} is outside of what is mounted here", Errno.ENOENT);
            }
        }

        return Array.TrueForAll(paths, entry => entry.Path == paths[0].Path) ? new CgroupPath(paths[0].Path) : new CgroupPath(paths);

        static string Join(string parent, string name) => $"{parent.TrimEnd('/')}/{name}";
    }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="ArgumentException">It is not such a text.</exception>
    public static CgroupPath Parse(string text)
    {
        if (text.StartsWith('/'))
        {
            return new CgroupPath(text);
        }

        var paths = text.Split('\n').Select(ParseEntry).ToArray();
        Array.ForEach(paths, entry => Check(entry.Path));
        return new CgroupPath(paths);

        static (CgroupControllers Controllers, string Path) ParseEntry(string line) =>
            line.Split(':', 2) is [var names, var path] ? (ParseNames(names), path) : throw new ArgumentException($"'{line}' is not the path of a cgroup");
    }

    /// <summary>The path itself, or a line <c>controllers:path</c> for every hierarchy: what a state file keeps.</summary>
    public override string ToString() =>
        paths is [(CgroupControllers.None, var path)] ? path : string.Join('\n', paths.Select(entry => $"{ControllerNames.Join(entry.Controllers)}:{entry.Path}"));

    /// <summary>The groups that a process is in, which may be the roots.</summary>
    internal static CgroupPath Of(CgroupLayout layout, string process)
    {
        var text = Files.TryReadText(FileDescriptor.WorkingDirectory, $"/proc/{process}/cgroup")
            ?? throw new KernelException($"read the cgroups of process {process}", Errno.ESRCH);
        return layout.ParseMembership(text) is { Length: > 0 } paths
            ? new CgroupPath(paths) : throw new KernelException($"find the cgroups of process {process}", Errno.ENOENT);
    }

    internal CgroupPath Below(string name)
    {
        Check("/" + name.Trim('/'));
        return new([.. paths.Select(entry => (entry.Controllers, $"{entry.Path}/{name.Trim('/')}"))]);
    }

    /// <summary>The path in the hierarchy with these controllers; null where the group has no place in it.</summary>
    internal string? In(CgroupControllers hierarchy) =>
        paths is [(CgroupControllers.None, var path)] ? path : Array.Find(paths, entry => (entry.Controllers & hierarchy) != 0).Path;

    internal static CgroupControllers ParseNames(string names)
    {
        var controllers = CgroupControllers.None;
        foreach (var name in names.Split(','))
        {
            controllers |= ControllerNames.ParseLegacy(name);
        }

        return controllers;
    }

    internal static void Check(string path)
    {
        if (path.Length < 2 || path[0] != '/' || path.Split('/').Skip(1).Any(name => name is "" or "." or ".." || name.Contains('\n')))
        {
            throw new ArgumentException($"'{path}' is not the path of a cgroup: it starts with '/' and has neither empty names nor dots for names");
        }
    }
}
