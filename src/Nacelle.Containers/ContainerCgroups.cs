using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The cgroup file system inside a container, as its cgroup namespace shows it.</summary>
static class ContainerCgroups
{
    public static void Mount(LaunchPlan plan, PlanValue root, RuntimeMount mount, MountOptions options, string? label, ContainerSetting setting)
    {
        if (setting.CgroupHierarchies is not { } hierarchies)
        {
            var unified = plan.NewFileSystem("cgroup2", mount.Destination, [], options.Set, orBind: "/sys/fs/cgroup");
            plan.Attach(unified, plan.OpenTarget(root, mount.Destination, asFile: false), mount.Destination);
            return;
        }

        var top = plan.NewFileSystem("tmpfs", mount.Destination, MountLabels.AddTo(["mode=755"], "tmpfs", label, inUserNamespace: true), options.Set & ~MountAttributes.ReadOnly);
        plan.Attach(top, plan.OpenTarget(root, mount.Destination, asFile: false), mount.Destination);
        var directory = plan.OpenIn(root, mount.Destination);
        foreach (var hierarchy in hierarchies)
        {
            var path = $"{mount.Destination}/{hierarchy.Name}";
            var made = hierarchy.Path is null
                ? plan.NewFileSystem("cgroup", path, hierarchy.Name.Split(','), options.Set)
                : Bind(plan, hierarchy.Path, path, options.Set);
            plan.Attach(made, plan.OpenTarget(root, path, asFile: false), path);
            foreach (var one in hierarchy.Name.Contains(',') ? hierarchy.Name.Split(',') : [])
            {
                plan.Call($"create symlink {path}", SystemCall.symlinkat, plan.Text(hierarchy.Name), directory, plan.Text(one)).Tolerate(Errno.EEXIST);
            }
        }

        if ((options.Set & MountAttributes.ReadOnly) != 0)
        {
            plan.SetAttributes(directory, mount.Destination, MountAttributes.ReadOnly);
        }

        plan.Close(directory);
    }

    static PlanValue Bind(LaunchPlan plan, string source, string path, MountAttributes attributes)
    {
        var tree = plan.CloneMount(source, recursive: false);
        plan.SetAttributes(tree, path, attributes);
        return tree;
    }
}
