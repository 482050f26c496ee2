using System.Text;
using Nacelle.Linux;

namespace Nacelle.Containers;

/// <summary>The options of a file system that label it for SELinux. See mount(8), "context=".</summary>
static class MountLabels
{
    /// <summary>The options of a new file system for fsconfig(2), with the label of the container's mounts where it can have one and no other is given.</summary>
    /// <param name="label">Null or empty for none.</param>
    public static List<string> AddTo(IEnumerable<string> options, string type, string? label, bool inUserNamespace)
    {
        List<string> all = [.. options.Select(Unquoted)];
        if (label is { Length: > 0 } && AreTakenBy(type, inUserNamespace) && !all.Exists(option => NameLength(option) > 0))
        {
            all.Add($"context={label}");
        }

        return all;
    }

    /// <summary>Whether the kernel takes a label for a new file system of this type; others have the labels that the policy gives them.</summary>
    /// <remarks>
    /// In a user namespace it does for a few only: selinux_set_mnt_opts in the kernel's security/selinux/hooks.c. The message queues of an IPC namespace
    /// are no new file system but one that is there already.
    /// </remarks>
    static bool AreTakenBy(string type, bool inUserNamespace) =>
        inUserNamespace ? type is "tmpfs" or "ramfs" or "devpts" or "overlay" : type is not ("proc" or "sysfs" or "mqueue");

    /// <summary>For fsconfig(2), which takes a value as it is; engines write quotes, because of the commas between categories.</summary>
    static string Unquoted(string option) =>
        NameLength(option) is > 0 and var name && option[name..] is ['"', .., '"'] quoted ? $"{option[..name]}{quoted[1..^1]}" : option;

    /// <summary>For mount(2), which ends a value at a comma that is not between quotes.</summary>
    public static string Quoted(string option) => NameLength(option) is > 0 and var name && option.Contains(',') ? $"{option[..name]}\"{option[name..]}\"" : option;

    /// <summary>Labels the root directory of a mount, where the policy lets its file system have labels; elsewhere it keeps the policy's own.</summary>
    public static void Set(LaunchPlan plan, PlanValue mount, string destination, string label)
    {
        var operation = $"set the SELinux label {label} of {destination}";
        var directory = plan.CallForResult(operation, SystemCall.openat, mount, plan.Text("."), (long)(OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.CloseOnExec));
        plan.Call(operation, SystemCall.fsetxattr, directory, plan.Text("security.selinux"), plan.Text(label), Encoding.UTF8.GetByteCount(label), 0).TolerateAll();
        plan.Close(directory);
    }

    /// <returns>With the equals sign; 0 for an option that is no label.</returns>
    static int NameLength(string option)
    {
        int end = option.IndexOf('=') + 1;
        return option[..end] is "context=" or "fscontext=" or "defcontext=" or "rootcontext=" ? end : 0;
    }
}
