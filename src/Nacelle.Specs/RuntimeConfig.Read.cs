namespace Nacelle.Specs;

/// <summary>Reading config.json. Members as in the specification's examples; see <see cref="RuntimeConfig"/>.</summary>
static class RuntimeConfigReader
{
    public static RuntimeConfig Read(SpecNode node) => new()
    {
        OciVersion = node.Need("ociVersion").Text(),
        Hostname = node.FindText("hostname"),
        Root = node.Find("root", root => new RuntimeRoot(root.Need("path").Text(), root.FindFlag("readonly"))),
        Process = node.Find("process", ReadProcess),
        Mounts = node.List("mounts", mount => new RuntimeMount
        {
            Destination = mount.Need("destination").Text(),
            Type = mount.FindText("type"),
            Source = mount.FindText("source"),
            Options = mount.Texts("options"),
        }),
        Annotations = node.Map("annotations"),
        Linux = node.Find("linux", ReadLinux),
    };

    static RuntimeProcess ReadProcess(SpecNode node) => new()
    {
        Terminal = node.FindFlag("terminal"),
        ConsoleSize = node.Find("consoleSize", size => new RuntimeConsoleSize(size.Need("height").UInt(), size.Need("width").UInt())),
        Cwd = node.Need("cwd").Text(),
        Env = node.Texts("env"),
        Args = node.Texts("args"),
        User = node.Find("user", ReadUser) ?? new RuntimeUser(),
        Capabilities = node.Find("capabilities", sets => new RuntimeCapabilities
        {
            Bounding = sets.Texts("bounding"),
            Effective = sets.Texts("effective"),
            Inheritable = sets.Texts("inheritable"),
            Permitted = sets.Texts("permitted"),
            Ambient = sets.Texts("ambient"),
        }),
        Rlimits = node.List("rlimits", limit => new RuntimeResourceLimit(limit.Need("type").Text(), limit.Need("soft").ULong(), limit.Need("hard").ULong())),
        NoNewPrivileges = node.FindFlag("noNewPrivileges"),
        OomScoreAdj = node.Find("oomScoreAdj")?.Int(),
    };

    static RuntimeUser ReadUser(SpecNode node) => new()
    {
        Uid = node.Find("uid")?.UInt() ?? 0,
        Gid = node.Find("gid")?.UInt() ?? 0,
        Umask = node.Find("umask")?.UInt(),
        AdditionalGids = node.List("additionalGids", gid => gid.UInt()),
    };

    static RuntimeLinux ReadLinux(SpecNode node) => new()
    {
        Namespaces = node.List("namespaces", one => new RuntimeNamespace(one.Need("type").Text(), one.FindText("path"))),
        UidMappings = node.List("uidMappings", ReadMapping),
        GidMappings = node.List("gidMappings", ReadMapping),
        Devices = node.List("devices", device => new RuntimeDevice
        {
            Type = device.Need("type").Text(),
            Path = device.Need("path").Text(),
            Major = device.Find("major")?.UInt() ?? 0,
            Minor = device.Find("minor")?.UInt() ?? 0,
            FileMode = device.Find("fileMode")?.UInt(),
            Uid = device.Find("uid")?.UInt(),
            Gid = device.Find("gid")?.UInt(),
        }),
        CgroupsPath = node.FindText("cgroupsPath"),
        Resources = node.Find("resources", ReadResources),
        Seccomp = node.Find("seccomp", ReadSeccomp),
        Sysctl = node.Map("sysctl"),
        MaskedPaths = node.Texts("maskedPaths"),
        ReadonlyPaths = node.Texts("readonlyPaths"),
    };

    static RuntimeIdMapping ReadMapping(SpecNode node) => new(node.Need("containerID").UInt(), node.Need("hostID").UInt(), node.Need("size").UInt());

    static RuntimeResources ReadResources(SpecNode node) => new()
    {
        Devices = node.List("devices", rule => new RuntimeDeviceRule
        {
            Allow = rule.Need("allow").Flag(),
            Type = rule.FindText("type"),
            Major = rule.Find("major")?.Long(),
            Minor = rule.Find("minor")?.Long(),
            Access = rule.FindText("access"),
        }),
        Memory = node.Find("memory", memory => new RuntimeMemory
        {
            Limit = memory.Find("limit")?.Long(),
            Reservation = memory.Find("reservation")?.Long(),
            Swap = memory.Find("swap")?.Long(),
        }),
        Cpu = node.Find("cpu", cpu => new RuntimeCpu
        {
            Shares = cpu.Find("shares")?.ULong(),
            Quota = cpu.Find("quota")?.Long(),
            Period = cpu.Find("period")?.ULong(),
            Cpus = cpu.FindText("cpus"),
            Mems = cpu.FindText("mems"),
        }),
        Pids = node.Find("pids", pids => new RuntimePids(pids.Need("limit").Long())),
    };

    static RuntimeSeccomp ReadSeccomp(SpecNode node) => new()
    {
        DefaultAction = node.Need("defaultAction").Text(),
        DefaultErrnoRet = node.Find("defaultErrnoRet")?.UInt(),
        Architectures = node.Texts("architectures"),
        Flags = node.Texts("flags"),
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
