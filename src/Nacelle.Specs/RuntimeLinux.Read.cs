namespace Nacelle.Specs;

static partial class RuntimeConfigReader
{
    static RuntimeLinux ReadLinux(SpecNode node) => new()
    {
        Namespaces = node.List("namespaces", one => new RuntimeNamespace(one.Need("type").Text(), one.FindFilled("path"))),
        UidMappings = node.List("uidMappings", ReadMapping),
        GidMappings = node.List("gidMappings", ReadMapping),
        TimeOffsets = node.Map("timeOffsets", offset => new RuntimeTimeOffset(offset.Find("secs")?.Long() ?? 0, offset.Find("nanosecs")?.UInt() ?? 0)),
        Devices = node.List("devices", ReadDevice),
        NetDevices = node.Map("netDevices", device => new RuntimeNetDevice(device.FindFilled("name"))),
        CgroupsPath = node.FindFilled("cgroupsPath"),
        Resources = node.Find("resources", ReadResources),
        IntelRdt = node.Find("intelRdt", ReadIntelRdt),
        MemoryPolicy = node.Find("memoryPolicy", policy => new RuntimeMemoryPolicy(policy.Need("mode").Text(), policy.FindFilled("nodes"), policy.Texts("flags"))),
        Sysctl = node.Map("sysctl"),
        Seccomp = node.Find("seccomp", ReadSeccomp),
        RootfsPropagation = node.FindFilled("rootfsPropagation"),
        MaskedPaths = node.Texts("maskedPaths"),
        ReadonlyPaths = node.Texts("readonlyPaths"),
        MountLabel = node.FindFilled("mountLabel"),
        Personality = node.Find("personality", personality => new RuntimePersonality(personality.Need("domain").Text(), personality.Texts("flags"))),
    };

    static RuntimeDevice ReadDevice(SpecNode node)
    {
        var type = node.Need("type").Text();
        bool numbered = type != "p";
        return new RuntimeDevice
        {
            Type = type,
            Path = node.Need("path").Text(),
            Major = numbered ? node.Need("major").UInt() : 0,
            Minor = numbered ? node.Need("minor").UInt() : 0,
            FileMode = node.Find("fileMode")?.UInt(),
            Uid = node.Find("uid")?.UInt(),
            Gid = node.Find("gid")?.UInt(),
        };
    }

    static RuntimeIntelRdt ReadIntelRdt(SpecNode node) => new()
    {
        ClosId = node.FindFilled("closID"),
        L3CacheSchema = node.FindFilled("l3CacheSchema"),
        MemBwSchema = node.FindFilled("memBwSchema"),
        Schemata = node.Texts("schemata"),
        EnableMonitoring = node.FindFlag("enableMonitoring"),
        EnableCmt = node.FindFlag("enableCMT"),
        EnableMbm = node.FindFlag("enableMBM"),
    };

    static RuntimeSeccomp ReadSeccomp(SpecNode node) => new()
    {
        DefaultAction = node.Need("defaultAction").Text(),
        DefaultErrnoRet = node.Find("defaultErrnoRet")?.UInt(),
        Architectures = node.Texts("architectures"),
        Flags = node.Texts("flags"),
        ListenerPath = node.FindFilled("listenerPath"),
        ListenerMetadata = node.FindFilled("listenerMetadata"),
        Syscalls = node.List("syscalls", rule => new RuntimeSystemCalls
        {
            Names = rule.Texts("names"),
            Action = rule.Need("action").Text(),
            ErrnoRet = rule.Find("errnoRet")?.UInt(),
            Args = rule.List("args", one => new RuntimeSystemCallArgument(
                one.Need("index").UInt(), one.Need("value").ULong(), one.Find("valueTwo")?.ULong() ?? 0, one.Need("op").Text())),
        }),
    };
}
