using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The mounts of a config.json, in its order.</summary>
static class ContainerMounts
{
    /// <summary>fsconfig(2) takes strings of at most 255 bytes, name and value apart; mount(2) takes a page of options.</summary>
    const int LongestOption = 255;

    public static void Add(LaunchPlan plan, PlanValue root, RuntimeConfig config, ContainerSetting setting)
    {
        bool hasUsers = (ContainerNamespaces.Own(config) & Namespaces.User) != 0;
        for (int i = 0; i < config.Mounts.Count; i++)
        {
            var mount = config.Mounts[i];
            var options = MountOptions.Parse(mount.Options, mount.Type);
            if (options.IsRemount)
            {
                Remount(plan, root, mount, options);
            }
            else if (setting.Sources?[i] is { } made)
            {
                AttachMade(plan, root, mount, options, made);
            }
            else if (options.IsBind)
            {
                Bind(plan, root, mount, options, setting);
            }
            else if (options.CopiesUp)
            {
                throw new SpecException($"mounts[{i}].options", "tmpcopyup takes the right to mount outside the container's user namespace");
            }
            else if (mount.Type is "cgroup" or "cgroup2")
            {
                ContainerCgroups.Mount(plan, root, mount, options, config.Linux?.MountLabel, setting);
            }
            else
            {
                Mount(plan, root, mount, options, config.Linux?.MountLabel, hasUsers);
            }
        }
    }

    static void Mount(LaunchPlan plan, PlanValue root, RuntimeMount mount, MountOptions options, string? label, bool hasUsers)
    {
        var type = mount.Type ?? throw new SpecException("mounts", $"the mount on {mount.Destination} has no type");
        var fileSystemOptions = MountLabels.AddTo(options.FileSystem, type, label, hasUsers);
        var attributes = options.Set | options.SetRecursively;
        if (fileSystemOptions.Any(option => option.Length > LongestOption))
        {
            MountClassically(plan, root, mount, options, fileSystemOptions);
            return;
        }

        if (mount.Source is ['/', ..] && (attributes & MountAttributes.ReadOnly) != 0)
        {
            fileSystemOptions.Add("ro"); // a device that cannot be written to is not even opened otherwise
        }

        // A user namespace may mount these two only where it sees whole ones already, and owns the network or processes that they show
        // (mount_too_revealing in the kernel's fs/namespace.c): then the ones that are there are shown.
        var instead = !hasUsers ? null : type == "proc" ? "/proc" : type == "sysfs" ? "/sys" : null;
        var made = plan.NewFileSystem(type, mount.Destination, fileSystemOptions, attributes, mount.Source, instead);
        if (label is { Length: > 0 } && type == "mqueue")
        {
            MountLabels.Set(plan, made, mount.Destination, label);
        }

        Attach(plan, root, mount, options, made, asFile: false);
    }

    /// <summary>With mount(2), which takes options of any length; the target is entered, so that no path is walked again.</summary>
    static void MountClassically(LaunchPlan plan, PlanValue root, RuntimeMount mount, MountOptions options, IEnumerable<string> fileSystemOptions)
    {
        var before = plan.CallForResult("open .", SystemCall.openat, -100, plan.Text("."), (long)(OpenFlags.Path | OpenFlags.CloseOnExec));
        var target = plan.OpenTarget(root, mount.Destination, asFile: false);
        plan.Call($"enter {mount.Destination}", SystemCall.fchdir, target);
        plan.Call(
            $"mount {mount.Type} on {mount.Destination}", SystemCall.mount, plan.Text(mount.Source ?? mount.Type!), plan.Text("."), plan.Text(mount.Type!), 0,
            plan.Text(string.Join(',', fileSystemOptions.Select(MountLabels.Quoted))));
        plan.Call("return from the target", SystemCall.fchdir, before);
        plan.Close(before);
        plan.Close(target);
        if ((options.Set | options.Clear | options.SetRecursively) != 0)
        {
            Remount(plan, root, mount, options);
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
        SetAttributes(plan, tree, mount, options);
        Attach(plan, root, mount, options, tree, asFile: status.Kind != FileKind.Directory);
    }

    static void AttachMade(LaunchPlan plan, PlanValue root, RuntimeMount mount, MountOptions options, FileDescriptor made)
    {
        var tree = plan.Descriptor(made);
        SetAttributes(plan, tree, mount, options);
        Attach(plan, root, mount, options, tree, asFile: Files.Status(made).Kind != FileKind.Directory);
    }

    static void Remount(LaunchPlan plan, PlanValue root, RuntimeMount mount, MountOptions options)
    {
        var there = plan.OpenIn(root, mount.Destination);
        SetAttributes(plan, there, mount, options);
        if (options.Propagation != MountPropagation.Unchanged)
        {
            plan.SetAttributes(there, mount.Destination, 0, 0, options.Propagation, options.PropagationIsRecursive);
        }

        plan.Close(there);
    }

    static void SetAttributes(LaunchPlan plan, PlanValue tree, RuntimeMount mount, MountOptions options)
    {
        if ((options.Set | options.Clear) != 0)
        {
            plan.SetAttributes(tree, mount.Destination, options.Set, options.Clear);
        }

        if ((options.SetRecursively | options.ClearRecursively) != 0)
        {
            plan.SetAttributes(tree, mount.Destination, options.SetRecursively, options.ClearRecursively, recursive: true);
        }
    }

    static void Attach(LaunchPlan plan, PlanValue root, RuntimeMount mount, MountOptions options, PlanValue made, bool asFile)
    {
        if (options.Propagation != MountPropagation.Unchanged)
        {
            plan.SetAttributes(made, mount.Destination, 0, 0, options.Propagation, options.PropagationIsRecursive);
        }

        // A /proc that is a symlink in the image would put the kernel's files where a volume of somebody else is (CVE-2019-19921, CVE-2023-27561).
        bool mustBeItself = !options.IsBind && mount.Type is "proc" or "sysfs";
        var target = plan.OpenTarget(root, mount.Destination, asFile, mustBeItself ? ResolveFlags.NoSymlinks : ResolveFlags.None);
        plan.Attach(made, target, mount.Destination);
    }
}
