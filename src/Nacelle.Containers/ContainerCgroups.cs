using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The cgroup file system inside a container, as its cgroup namespace shows it.</summary>
static class ContainerCgroups
{
    public static void Mount(LaunchPlan plan, PlanValue root, RuntimeMount mount, MountOptions options, ContainerSetting setting)
    {
        if (setting.CgroupHierarchies is not { } hierarchies)
        {
            var unified = plan.NewFileSystem("cgroup2", mount.Destination, [], options.Set, out _);
            plan.Attach(unified, plan.OpenTarget(root, mount.Destination, asFile: false), mount.Destination);
            return;
        }

        var top = plan.NewFileSystem("tmpfs", mount.Destination, ["mode=755"], options.Set & ~MountAttributes.ReadOnly, out _);
        plan.Attach(top, plan.OpenTarget(root, mount.Destination, asFile: false), mount.Destination);
        foreach (var hierarchy in hierarchies)
        {
            var path = $"{mount.Destination}/{hierarchy}";
            var made = plan.NewFileSystem("cgroup", path, hierarchy.Split(','), options.Set, out _);
            plan.Attach(made, plan.OpenTarget(root, path, asFile: false), path);
        }

        if ((options.Set & MountAttributes.ReadOnly) != 0)
        {
            var directory = plan.OpenIn(root, mount.Destination);
            plan.SetAttributes(directory, mount.Destination, MountAttributes.ReadOnly);
            plan.Close(directory);
        }
    }
}
