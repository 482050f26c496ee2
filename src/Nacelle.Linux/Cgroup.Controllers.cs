namespace Nacelle.Linux;

public sealed partial class Cgroup
{
    /// <summary>What every group of version 2 has, whatever controllers it has.</summary>
    const CgroupControllers WithoutController =
        CgroupControllers.Devices | CgroupControllers.Freezer | CgroupControllers.CpuAccounting | CgroupControllers.PerfEvents;

    /// <summary>Sees to it that a new group of version 2 has the controllers, as far as they can be had, and returns those it has.</summary>
    /// <remarks>
    /// A group has what its parent's cgroup.subtree_control lists, which must itself have it: so it goes level by level from the root. The root alone
    /// may do that while it has processes of its own ("no internal processes", cgroups(7)).
    /// </remarks>
    CgroupControllers EnableControllers(CgroupControllers wanted)
    {
        var directory = parts[0].Directory;
        var enabled = ReadControllers(directory);
        if ((wanted & ~WithoutController & ~enabled) == 0)
        {
            return enabled | WithoutController;
        }

        using var root = Files.Open(parts[0].MountPoint, OpenFlags.Path | OpenFlags.Directory);
        string name = Path[1..];
        for (int slash = 0; slash >= 0; slash = name.IndexOf('/', slash + 1))
        {
            string parent = slash == 0 ? "" : name[..slash] + "/";
            var present = ParseText(root, parent + "cgroup.controllers");
            var missing = wanted & ~WithoutController & present & ~ParseText(root, parent + "cgroup.subtree_control");
            if (missing == 0 || TryWrite(root, parent + "cgroup.subtree_control", Plus(missing)) == Errno.None)
            {
                continue;
            }

            // One that cannot be had keeps the others from being taken.
            foreach (var controller in ControllerNames.Each(missing))
            {
                if (TryWrite(root, parent + "cgroup.subtree_control", Plus(controller)) is var error and not Errno.None && missingReason.Length == 0)
                {
                    missingReason = error == Errno.EBUSY
                        ? $"processes are in /{parent.TrimEnd('/')}, which so cannot give controllers to groups below it"
                        : $"cgroup.subtree_control of /{parent.TrimEnd('/')}: {error}";
                }
            }
        }

        return ReadControllers(directory) | WithoutController;

        static string Plus(CgroupControllers controllers) =>
            string.Join(' ', ControllerNames.Each(controllers).Select(controller => "+" + ControllerNames.Of(controller, unified: true)));

        static CgroupControllers ParseText(FileDescriptor at, string file) => ControllerNames.ParseUnified(Files.TryReadText(at, file) ?? "");
    }

    static CgroupControllers ReadControllers(FileDescriptor directory) =>
        ControllerNames.ParseUnified(Files.TryReadText(directory, "cgroup.controllers") ?? "");

    /// <summary>Writes into a file of a group; the kernel's answer as a value.</summary>
    static Errno TryWrite(FileDescriptor at, string file, string value)
    {
        using var descriptor = Files.TryOpen(at, file, OpenFlags.WriteOnly, out var error);
        if (descriptor is null)
        {
            return error;
        }

        try
        {
            Files.Write(descriptor, System.Text.Encoding.ASCII.GetBytes(value));
            return Errno.None;
        }
        catch (KernelException failure)
        {
            return failure.Errno;
        }
    }
}
