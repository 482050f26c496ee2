namespace Nacelle.Specs;

static class RuntimeFeaturesWriter
{
    public static void Write(SpecWriter json, RuntimeFeatures features)
    {
        json.Text("ociVersionMin", features.OciVersionMin);
        json.Text("ociVersionMax", features.OciVersionMax);
        Known(json, "hooks", features.Hooks);
        Known(json, "mountOptions", features.MountOptions);
        json.Object("linux", features.Linux, WriteLinux);
        json.Map("annotations", features.Annotations);
        Known(json, "potentiallyUnsafeConfigAnnotations", features.PotentiallyUnsafeConfigAnnotations);
    }

    static void WriteLinux(SpecWriter json, LinuxFeatures features)
    {
        Known(json, "namespaces", features.Namespaces);
        Known(json, "capabilities", features.Capabilities);
        json.Object("cgroup", features.Cgroup, (cgroup, value) =>
        {
            cgroup.Flag("v1", value.V1);
            cgroup.Flag("v2", value.V2);
            cgroup.Flag("systemd", value.Systemd);
            cgroup.Flag("systemdUser", value.SystemdUser);
            cgroup.Flag("rdma", value.Rdma);
        });
        json.Object("seccomp", features.Seccomp, (seccomp, value) =>
        {
            seccomp.Flag("enabled", value.Enabled);
            Known(seccomp, "actions", value.Actions);
            Known(seccomp, "operators", value.Operators);
            Known(seccomp, "archs", value.Archs);
            Known(seccomp, "knownFlags", value.KnownFlags);
            Known(seccomp, "supportedFlags", value.SupportedFlags);
        });
        Enabled(json, "apparmor", features.Apparmor);
        Enabled(json, "selinux", features.Selinux);
        json.Object("intelRdt", features.IntelRdt, (rdt, value) =>
        {
            rdt.Flag("enabled", value.Enabled);
            rdt.Flag("schemata", value.Schemata);
            rdt.Flag("monitoring", value.Monitoring);
        });
        json.Object("memoryPolicy", features.MemoryPolicy, (policy, value) =>
        {
            Known(policy, "modes", value.Modes);
            Known(policy, "flags", value.Flags);
        });
        json.Object("mountExtensions", features.IdMappedMounts, (extensions, value) => Enabled(extensions, "idmap", value));
        Enabled(json, "netDevices", features.NetDevices);
    }

    static void Known(SpecWriter json, string name, IReadOnlyList<string>? values)
    {
        if (values is not null)
        {
            json.Texts(name, values, always: true);
        }
    }

    static void Enabled(SpecWriter json, string name, bool? value) =>
        json.Object(name, value, (feature, enabled) => feature.Flag("enabled", enabled));
}
