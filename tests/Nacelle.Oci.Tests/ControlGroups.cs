namespace Nacelle.Oci.Tests;

/// <summary>Where control groups are, in either version: in one tree, or in one for each hierarchy.</summary>
static class ControlGroups
{
    public static bool AreUnified { get; } = File.Exists("/sys/fs/cgroup/cgroup.controllers");

    /// <summary>The hierarchies that every container has a group in; version 2 has one without a name.</summary>
    public static IReadOnlyList<string> Hierarchies { get; } = AreUnified ? [""] : ["memory", "cpu", "cpuacct", "pids", "devices", "freezer"];

    /// <summary>The directory of a group.</summary>
    /// <param name="hierarchy">As in version 1; version 2 has all in one.</param>
    /// <param name="path">From the root: <c>/name</c>.</param>
    public static string Directory(string hierarchy, string path) => AreUnified ? $"/sys/fs/cgroup{path}" : $"/sys/fs/cgroup/{hierarchy}{path}";

    /// <summary>A process's group in each hierarchy, by controller.</summary>
    public static Dictionary<string, string> Of(int pid) => File.ReadAllLines($"/proc/{pid}/cgroup")
        .Select(line => line.Split(':', 3))
        .SelectMany(parts => parts[1].Split(',').Select(controller => (controller, parts[2])))
        .ToDictionary();
}

/// <summary>A group in every hierarchy that there was before any container.</summary>
sealed class PreparedGroup : IDisposable
{
    public PreparedGroup()
    {
        foreach (var hierarchy in ControlGroups.Hierarchies)
        {
            System.IO.Directory.CreateDirectory(Directory(hierarchy));
        }
    }

    public string Name { get; } = OciMachine.NewId();

    public string Directory(string hierarchy) => ControlGroups.Directory(hierarchy, $"/{Name}");

    public void Add(int process) => File.WriteAllText($"{Directory("pids")}/cgroup.procs", $"{process}");

    public void Freeze(bool frozen)
    {
        if (ControlGroups.AreUnified)
        {
            File.WriteAllText($"{Directory("")}/cgroup.freeze", frozen ? "1" : "0");
        }
        else
        {
            File.WriteAllText($"{Directory("freezer")}/freezer.state", frozen ? "FROZEN" : "THAWED");
        }
    }

    public void Dispose()
    {
        foreach (var hierarchy in ControlGroups.Hierarchies)
        {
            OciMachine.Run("find", Directory(hierarchy), "-depth", "-type", "d", "-exec", "rmdir", "{}", ";");
        }
    }
}
