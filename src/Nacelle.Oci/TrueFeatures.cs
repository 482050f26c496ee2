using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>What this runtime can do, from the tables that it works by.</summary>
static class TrueFeatures
{
    public static RuntimeFeatures Find() => new()
    {
        MountOptions = [.. MountOptions.Names.Distinct().Order(StringComparer.Ordinal)],
        Linux = new LinuxFeatures
        {
            Capabilities = [.. CapabilitySet.All().Members().Select(capability => capability.Name())],
            Cgroup = new CgroupFeatures(V1: true, V2: true, Systemd: true, SystemdUser: true, Rdma: true),
            Seccomp = new SeccompFeatures
            {
                Actions = [.. ContainerSeccomp.ActionNames],
                Operators = [.. ContainerSeccomp.OperatorNames],
                Archs = [.. ContainerSeccomp.ArchitectureNames],
                KnownFlags = [.. ContainerSeccomp.FlagNames],
                SupportedFlags = [.. ContainerSeccomp.FlagNames],
            },
            Apparmor = true,
            Selinux = true,
            IntelRdt = new IntelRdtFeatures(Enabled: true, Schemata: true, Monitoring: true),
            MemoryPolicy = new MemoryPolicyFeatures(),
            IdMappedMounts = true,
            NetDevices = true,
        },
    };
}
