using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>What a container's process writes into /proc about itself and its namespaces.</summary>
/// <remarks>
/// Never through the container's own /proc, which the image or another container may have put something else at (CVE-2019-16884, CVE-2019-19921,
/// CVE-2023-28642, CVE-2025-52881): through the launching process's, or one that is attached nowhere.
/// </remarks>
static class ContainerKernelFiles
{
    /// <summary>Opens a /proc that is what it says; before the container's root is entered.</summary>
    /// <param name="known">The maker's; null makes one that is attached nowhere.</param>
    public static PlanValue OpenProc(LaunchPlan plan, FileDescriptor? known) =>
        known is not null ? plan.Descriptor(known) : plan.NewFileSystem("proc", "a /proc of its own", [], MountAttributes.None);

    /// <summary>Whether any of this is wanted.</summary>
    public static bool AreNeeded(RuntimeConfig config) =>
        config.Linux?.Sysctl is { Count: > 0 } || config.Process is { OomScoreAdj: not null } or { ApparmorProfile: not null } or { SelinuxLabel: not null }
        || (config.Linux?.Namespaces.Any(one => one.Type == "time" && one.Path is null) ?? false);

    public static void SetParameters(LaunchPlan plan, PlanValue proc, RuntimeLinux linux)
    {
        foreach (var (name, value) in linux.Sysctl ?? new Dictionary<string, string>())
        {
            var path = RuntimeSysctl.PathOf(name) ?? throw new SpecException("linux.sysctl", $"'{name}' is not a parameter's name");
            plan.WriteTo(proc, $"sys/{path}", value, $"set {name}");
        }
    }

    public static void SetOutOfMemoryScore(LaunchPlan plan, PlanValue proc, RuntimeProcess process)
    {
        if (process.OomScoreAdj is { } score)
        {
            plan.WriteTo(proc, "self/oom_score_adj", score.ToString(), $"set the out-of-memory score to {score}");
        }
    }

    /// <summary>Names the label that the program will run under, which the kernel takes from the process itself only.</summary>
    /// <remarks>The kernel's Documentation/admin-guide/LSM/apparmor.rst; setexeccon(3). Where modules are stacked each has a directory of its own, Linux 5.8.</remarks>
    public static void SetLabels(LaunchPlan plan, PlanValue proc, RuntimeProcess process)
    {
        if (process.ApparmorProfile is { Length: > 0 } profile)
        {
            var file = plan.NewCell();
            var own = Open(plan, proc, "self/attr/apparmor/exec").To(file).Tolerate(Errno.ENOENT);
            Open(plan, proc, "self/attr/exec").To(file);
            own.SkipToHereOnSuccess();
            var text = $"exec {profile}";
            plan.Call(
                $"set the AppArmor profile {profile}, which has to be loaded", SystemCall.write, file, plan.Text(text), System.Text.Encoding.UTF8.GetByteCount(text));
            plan.Close(file);
        }

        if (process.SelinuxLabel is { Length: > 0 } label)
        {
            plan.WriteTo(proc, "self/attr/exec", label, $"set the SELinux label {label}");
            plan.WriteTo(proc, "self/attr/keycreate", label, $"set the SELinux label {label} for the session keyring");
        }
    }

    static LaunchPlan.Step Open(LaunchPlan plan, PlanValue proc, string path) =>
        plan.Call($"open /proc/{path}", SystemCall.openat, proc, plan.Text(path), (long)(OpenFlags.WriteOnly | OpenFlags.CloseOnExec));
}
