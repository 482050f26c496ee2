namespace Nacelle.Specs;

static partial class RuntimeConfigWriter
{
    static void WriteLinux(SpecWriter json, RuntimeLinux linux)
    {
        json.List("uidMappings", linux.UidMappings, WriteMapping);
        json.List("gidMappings", linux.GidMappings, WriteMapping);
        json.Map("sysctl", linux.Sysctl);
        json.Object("resources", linux.Resources, WriteResources);
        json.Text("cgroupsPath", linux.CgroupsPath);
        json.List("namespaces", linux.Namespaces, (one, value) =>
        {
            one.Text("type", value.Type);
            one.Text("path", value.Path);
        });
        json.List("devices", linux.Devices, WriteDevice);
        json.Map("netDevices", linux.NetDevices, (device, value) => device.Text("name", value.Name));
        json.Object("seccomp", linux.Seccomp, WriteSeccomp);
        json.Text("rootfsPropagation", linux.RootfsPropagation);
        json.Texts("maskedPaths", linux.MaskedPaths);
        json.Texts("readonlyPaths", linux.ReadonlyPaths);
        json.Text("mountLabel", linux.MountLabel);
        json.Object("intelRdt", linux.IntelRdt, WriteIntelRdt);
        json.Object("memoryPolicy", linux.MemoryPolicy, (policy, value) =>
        {
            policy.Text("mode", value.Mode);
            policy.Text("nodes", value.Nodes);
            policy.Texts("flags", value.Flags);
        });
        json.Object("personality", linux.Personality, (personality, value) =>
        {
            personality.Text("domain", value.Domain);
            personality.Texts("flags", value.Flags);
        });
        json.Map("timeOffsets", linux.TimeOffsets, (offset, value) =>
        {
            offset.Number("secs", value.Secs);
            offset.Unsigned("nanosecs", value.Nanosecs);
        });
    }

    static void WriteDevice(SpecWriter json, RuntimeDevice device)
    {
        json.Text("path", device.Path);
        json.Text("type", device.Type);
        json.Unsigned("major", device.Major);
        json.Unsigned("minor", device.Minor);
        json.Unsigned("fileMode", device.FileMode);
        json.Unsigned("uid", device.Uid);
        json.Unsigned("gid", device.Gid);
    }

    static void WriteIntelRdt(SpecWriter json, RuntimeIntelRdt rdt)
    {
        json.Text("closID", rdt.ClosId);
        json.Texts("schemata", rdt.Schemata);
        json.Text("l3CacheSchema", rdt.L3CacheSchema);
        json.Text("memBwSchema", rdt.MemBwSchema);
        json.Flag("enableMonitoring", rdt.EnableMonitoring ? true : null);
        json.Flag("enableCMT", rdt.EnableCmt ? true : null);
        json.Flag("enableMBM", rdt.EnableMbm ? true : null);
    }

    static void WriteSeccomp(SpecWriter json, RuntimeSeccomp seccomp)
    {
        json.Text("defaultAction", seccomp.DefaultAction);
        json.Unsigned("defaultErrnoRet", seccomp.DefaultErrnoRet);
        json.Texts("architectures", seccomp.Architectures);
        json.Texts("flags", seccomp.Flags);
        json.Text("listenerPath", seccomp.ListenerPath);
        json.Text("listenerMetadata", seccomp.ListenerMetadata);
        json.List("syscalls", seccomp.Syscalls, (rule, value) =>
        {
            rule.Texts("names", value.Names);
            rule.Text("action", value.Action);
            rule.Unsigned("errnoRet", value.ErrnoRet);
            rule.List("args", value.Args, (one, argument) =>
            {
                one.Unsigned("index", argument.Index);
                one.Unsigned("value", argument.Value);
                one.Unsigned("valueTwo", argument.ValueTwo);
                one.Text("op", argument.Op);
            });
        });
    }
}
