using Nacelle.Linux;
using Nacelle.Systemd;

namespace Nacelle.Flavors;

/// <summary>What a pod of the flavor systemd finds on the host of that: a registry of machines, a unit that it was started from.</summary>
static class SystemdHost
{
    const string Bus = "unix:path=/run/dbus/system_bus_socket", Machines = "org.freedesktop.machine1";

    /// <summary>Whether machined is there, or comes when it is called.</summary>
    public static bool HasMachines()
    {
        if (!Files.Exists(FileDescriptor.WorkingDirectory, "/run/systemd/system")) // sd_booted(3)
        {
            return false;
        }

        try
        {
            using var bus = BusConnection.OpenBus(Bus);
            bus.Call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "StartServiceByName", BusValue.Text(Machines), BusValue.UInt32(0));
            return true;
        }
        catch (Exception problem) when (problem is BusException or KernelException)
        {
            return false;
        }
    }

    /// <summary>Whether this process runs in a service's group, whose manager is to keep the pod.</summary>
    public static bool IsService() =>
        (Files.TryReadText(FileDescriptor.WorkingDirectory, "/proc/self/cgroup") ?? "").Split('\n').Any(line => line.EndsWith(".service", StringComparison.Ordinal));
}
