using Nacelle.Linux;
using Nacelle.Systemd;

namespace Nacelle.Oci;

/// <summary>The systemd unit that a container's control group belongs to.</summary>
static class ContainerUnit
{
    /// <summary>The machine's systemd for root, and for others their own.</summary>
    public static SystemdInstance Instance => Processes.IsRoot && UserNamespaces.IsInitial ? SystemdInstance.System : SystemdInstance.User;

    public static void Stop(string name)
    {
        using var manager = SystemdManager.Open(Instance);
        manager.StopUnit(name);
    }

    public static void Update(string name, CgroupLimits limits)
    {
        using var manager = SystemdManager.Open(Instance);
        SystemdScope.Update(manager, new SystemdUnit("", name), limits, CgroupLayout.Detect());
    }
}
