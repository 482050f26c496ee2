using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Puts a container into a class of service of Intel's Resource Director Technology.</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md, "IntelRdt"; the kernel's Documentation/filesystems/resctrl.rst.</remarks>
public sealed class ResourceDirector
{
    const string MountPoint = "/sys/fs/resctrl";

    readonly RuntimeIntelRdt wanted;
    readonly string id;

    ResourceDirector(RuntimeIntelRdt wanted, string id)
    {
        this.wanted = wanted;
        this.id = id;
    }

    bool IsDefault => wanted.ClosId == "/";

    string Class => IsDefault ? MountPoint : $"{MountPoint}/{wanted.ClosId ?? id}";

    string MonitoringGroup => $"{Class}/mon_groups/{id}";

    bool HasSchemata => wanted.L3CacheSchema is not null || wanted.MemBwSchema is not null || wanted.Schemata.Count > 0;

    /// <returns>Null where config.json asks for nothing of the kind.</returns>
    /// <exception cref="SpecException">It does, and the kernel has no resctrl mounted.</exception>
    public static ResourceDirector? For(RuntimeConfig config, string id)
    {
        if (config.Linux?.IntelRdt is not { } wanted)
        {
            return null;
        }

        return Files.Exists(FileDescriptor.WorkingDirectory, $"{MountPoint}/schemata") ? new(wanted, id)
            : throw new SpecException("linux.intelRdt", $"there is no resctrl file system mounted on {MountPoint}");
    }

    /// <summary>Makes the class where that is wanted, sets its shares, and assigns the process.</summary>
    /// <exception cref="SpecException">The class is there with other shares, or not there and has none given.</exception>
    public void Assign(int pid)
    {
        bool made = !IsDefault && TryMake(Class, "linux.intelRdt.closID");
        try
        {
            SetSchemata(made);
            Files.WriteExisting(FileDescriptor.WorkingDirectory, $"{Class}/tasks", $"{pid}");
            if (wanted.EnableMonitoring)
            {
                Files.MakeDirectory(FileDescriptor.WorkingDirectory, MonitoringGroup);
                Files.WriteExisting(FileDescriptor.WorkingDirectory, $"{MonitoringGroup}/tasks", $"{pid}");
            }
        }
        catch
        {
            Remove(made);
            throw;
        }
    }

    /// <summary>Takes away what was made for the container: its monitoring group, and its class unless that had a name of its own.</summary>
    public void Remove() => Remove(wanted.ClosId is null);

    void Remove(bool withClass)
    {
        if (wanted.EnableMonitoring)
        {
            Files.TryUnlink(FileDescriptor.WorkingDirectory, MonitoringGroup, directory: true);
        }

        if (withClass)
        {
            Files.TryUnlink(FileDescriptor.WorkingDirectory, Class, directory: true);
        }
    }

    bool TryMake(string path, string member)
    {
        if (wanted.ClosId is not null && !HasSchemata)
        {
            return Files.Exists(FileDescriptor.WorkingDirectory, path) ? false
                : throw new SpecException(member, $"there is no class {wanted.ClosId}, and nothing that one could be made by");
        }

        return Files.EnsureDirectory(FileDescriptor.WorkingDirectory, path);
    }

    /// <summary>Writes the shares of a class that was made now; those of one that was there have to be the same already.</summary>
    void SetSchemata(bool made)
    {
        foreach (var line in Lines())
        {
            if (made || IsDefault)
            {
                Files.WriteExisting(FileDescriptor.WorkingDirectory, $"{Class}/schemata", line + "\n");
            }
            else if (!Matches(line, Files.TryReadText(FileDescriptor.WorkingDirectory, $"{Class}/schemata") ?? ""))
            {
                throw new SpecException("linux.intelRdt", $"the class {wanted.ClosId ?? id} is there already, and not with '{line}'");
            }
        }
    }

    IEnumerable<string> Lines()
    {
        foreach (var line in (IEnumerable<string?>)[wanted.L3CacheSchema, wanted.MemBwSchema, .. wanted.Schemata])
        {
            if (line is { Length: > 0 })
            {
                yield return line;
            }
        }
    }

    /// <summary>Whether every part of a line such as <c>L3:0=f;1=f</c> stands in the file, which writes numbers with leading zeros.</summary>
    static bool Matches(string line, string file)
    {
        var found = file.Split('\n').Select(Parts).FirstOrDefault(parts => parts.Name == Parts(line).Name);
        return Parts(line).Values.All(part => found.Values?.Contains(part) ?? false);

        static (string Name, HashSet<string> Values) Parts(string line) =>
            line.Trim().Split(':', 2) is [var name, var values]
                ? (name, [.. values.Split(';').Select(part => part.Split('=', 2) is [var domain, var value] ? $"{domain.Trim()}={value.Trim().TrimStart('0')}" : part)])
                : ("", []);
    }
}
