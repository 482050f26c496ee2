namespace Nacelle.Specs;

/// <summary>Reading config.json. Members as in the specification's examples; see <see cref="RuntimeConfig"/>.</summary>
/// <remarks>An optional string that is empty is read as if it were missing: that is what it means in the Go bindings which engines write it with.</remarks>
static partial class RuntimeConfigReader
{
    public static RuntimeConfig Read(SpecNode node) => new()
    {
        OciVersion = node.Need("ociVersion").Text(),
        Hostname = node.FindFilled("hostname"),
        Domainname = node.FindFilled("domainname"),
        Root = node.Find("root", root => new RuntimeRoot(root.Need("path").Text(), root.FindFlag("readonly"))),
        Process = node.Find("process", ReadProcess),
        Mounts = node.List("mounts", ReadMount),
        Hooks = node.Find("hooks", ReadHooks),
        Annotations = node.Map("annotations"),
        Linux = node.Find("linux", ReadLinux),
    };

    public static RuntimeProcess ReadProcess(SpecNode node) => new()
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
        ApparmorProfile = node.FindFilled("apparmorProfile"),
        SelinuxLabel = node.FindFilled("selinuxLabel"),
        OomScoreAdj = node.Find("oomScoreAdj")?.Int(),
        Scheduler = node.Find("scheduler", ReadScheduler),
        IoPriority = node.Find("ioPriority", priority => new RuntimeIoPriority(priority.Need("class").Text(), priority.Need("priority").Int())),
        ExecCpuAffinity = node.Find("execCPUAffinity", affinity => new RuntimeCpuAffinity(affinity.FindFilled("initial"), affinity.FindFilled("final"))),
    };

    static RuntimeUser ReadUser(SpecNode node) => new()
    {
        Uid = node.Find("uid")?.UInt() ?? 0,
        Gid = node.Find("gid")?.UInt() ?? 0,
        Umask = node.Find("umask")?.UInt(),
        AdditionalGids = node.List("additionalGids", gid => gid.UInt()),
    };

    static RuntimeScheduler ReadScheduler(SpecNode node) => new()
    {
        Policy = node.Need("policy").Text(),
        Nice = node.Find("nice")?.Int() ?? 0,
        Priority = node.Find("priority")?.Int() ?? 0,
        Flags = node.Texts("flags"),
        Runtime = node.Find("runtime")?.ULong() ?? 0,
        Deadline = node.Find("deadline")?.ULong() ?? 0,
        Period = node.Find("period")?.ULong() ?? 0,
    };

    static RuntimeMount ReadMount(SpecNode node) => new()
    {
        Destination = node.Need("destination").Text(),
        Type = node.FindFilled("type"),
        Source = node.FindFilled("source"),
        Options = node.Texts("options"),
        UidMappings = node.List("uidMappings", ReadMapping),
        GidMappings = node.List("gidMappings", ReadMapping),
    };

    static RuntimeIdMapping ReadMapping(SpecNode node) => new(node.Need("containerID").UInt(), node.Need("hostID").UInt(), node.Need("size").UInt());

    static RuntimeHooks ReadHooks(SpecNode node) => new()
    {
        Prestart = node.List("prestart", ReadHook),
        CreateRuntime = node.List("createRuntime", ReadHook),
        CreateContainer = node.List("createContainer", ReadHook),
        StartContainer = node.List("startContainer", ReadHook),
        Poststart = node.List("poststart", ReadHook),
        Poststop = node.List("poststop", ReadHook),
    };

    static RuntimeHook ReadHook(SpecNode node) => new()
    {
        Path = node.Need("path").Text(),
        Args = node.Texts("args"),
        Env = node.Texts("env"),
        Timeout = node.Find("timeout")?.Int(),
    };
}
