using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The mounts of a config.json, in its order.</summary>
static class ContainerMounts
{
    public static void Add(LaunchPlan plan, PlanValue root, RuntimeMount mount, ContainerSetting setting)
    {
        var options = MountOptions.Parse(mount.Options, mount.Type);
        if (options.IsBind)
        {
            Bind(plan, root, mount, options, setting);
        }
        else if (mount.Type is "cgroup" or "cgroup2")
        {
            ContainerCgroups.Mount(plan, root, mount, options, setting);
        }
        else
        {
            var type = mount.Type ?? throw new SpecException("mounts", $"the mount on {mount.Destination} has no type");
            var made = plan.NewFileSystem(type, mount.Destination, options.FileSystem, options.Set | options.SetRecursively, out _);
            Attach(plan, root, mount, options, made, asFile: false);
        }
    }

    static void Bind(LaunchPlan plan, PlanValue root, RuntimeMount mount, MountOptions options, ContainerSetting setting)
    {
        var source = mount.Source ?? throw new SpecException("mounts", $"the bind mount on {mount.Destination} has no source");
        var status = Files.TryStatus(FileDescriptor.WorkingDirectory, source, out var error)
            ?? throw new KernelException($"bind {source} on {mount.Destination} in the container", error);
        if (status.Kind == FileKind.Symlink)
        {
            using var followed = Files.Open(source, OpenFlags.Path);
            status = Files.Status(followed);
        }

        var tree = plan.CloneMount(setting.SourcePath(source), options.IsRecursiveBind);
        if ((options.Set | options.Clear) != 0)
        {
            plan.SetAttributes(tree, mount.Destination, options.Set, options.Clear);
        }

        if (options.SetRecursively != 0)
        {
            plan.SetAttributes(tree, mount.Destination, options.SetRecursively, recursive: true);
        }

        Attach(plan, root, mount, options, tree, asFile: status.Kind != FileKind.Directory);
    }

    static void Attach(LaunchPlan plan, PlanValue root, RuntimeMount mount, MountOptions options, PlanValue made, bool asFile)
    {
        if (options.Propagation != MountPropagation.Unchanged)
        {
            plan.SetAttributes(made, mount.Destination, 0, 0, options.Propagation, options.PropagationIsRecursive);
        }

        var target = plan.OpenTarget(root, mount.Destination, asFile);
        plan.Attach(made, target, mount.Destination);
    }
}
