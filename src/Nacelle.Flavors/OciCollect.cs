using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>The flavor <c>oci</c>'s <c>gc</c>: has the runtime forget the apps, and removes the groups that it has left.</summary>
static class OciCollect
{
    static readonly FileDescriptor Here = FileDescriptor.WorkingDirectory;

    public static int Collect(string[] arguments)
    {
        var uuid = arguments.LastOrDefault(argument => !argument.StartsWith('-')) ?? throw new FlavorException("stage1 was not told the pod's UUID");
        if (OciRuntime.TryRead() is { } runtime && Files.Exists(Here, runtime.Program))
        {
            foreach (var app in Directories.ListOrEmpty(Here, $"{OciRuntime.Directory}/state"))
            {
                runtime.Start(input: false, "delete", "--force", app.Name).Wait();
            }
        }

        RemoveGroups(uuid);
        return PlannedNetworks.Collect() is { } problem ? throw new FlavorException(problem) : 0;
    }

    /// <summary>Removes the pod's groups, with whatever runs in them. Runtimes make some in hierarchies without a controller, too.</summary>
    public static void RemoveGroups(string uuid)
    {
        var layout = CgroupLayout.Detect();
        if (layout.Kind == CgroupKind.None)
        {
            return;
        }

        using (var group = Cgroup.TryOpen(layout, $"{Cgroup.DefaultParent}/{uuid}"))
        {
            group?.Kill();
            group?.Remove();
        }

        foreach (var line in (Files.TryReadText(Here, "/proc/self/mountinfo") ?? "").Split('\n'))
        {
            if (line.Contains(" - cgroup", StringComparison.Ordinal))
            {
                RemoveEmpty($"{line.Split(' ')[4]}{Cgroup.DefaultParent}", uuid);
            }
        }
    }

    static void RemoveEmpty(string parent, string name)
    {
        foreach (var child in Directories.ListOrEmpty(Here, $"{parent}/{name}").Where(child => child.Kind == FileKind.Directory))
        {
            RemoveEmpty($"{parent}/{name}", child.Name);
        }

        Files.TryUnlink(Here, $"{parent}/{name}", directory: true);
    }
}
