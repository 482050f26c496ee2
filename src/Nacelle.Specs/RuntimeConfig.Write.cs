namespace Nacelle.Specs;

/// <summary>Writing config.json; the other half of <see cref="RuntimeConfigReader"/>.</summary>
static partial class RuntimeConfigWriter
{
    public static void Write(SpecWriter json, RuntimeConfig config)
    {
        json.Text("ociVersion", config.OciVersion);
        json.Object("process", config.Process, WriteProcess);
        json.Object("root", config.Root, (root, value) =>
        {
            root.Text("path", value.Path);
            root.Flag("readonly", value.Readonly);
        });
        json.Text("hostname", config.Hostname);
        json.Text("domainname", config.Domainname);
        json.List("mounts", config.Mounts, WriteMount);
        json.Object("hooks", config.Hooks, WriteHooks);
        json.Map("annotations", config.Annotations);
        json.Object("linux", config.Linux, WriteLinux);
    }

    public static void WriteProcess(SpecWriter json, RuntimeProcess process)
    {
        json.Flag("terminal", process.Terminal);
        json.Object("consoleSize", process.ConsoleSize, (size, value) =>
        {
            size.Unsigned("height", value.Height);
            size.Unsigned("width", value.Width);
        });
        json.Object("user", process.User, (user, value) =>
        {
            user.Unsigned("uid", value.Uid);
            user.Unsigned("gid", value.Gid);
            user.Unsigned("umask", value.Umask);
            user.Unsigneds("additionalGids", value.AdditionalGids);
        });
        json.Texts("args", process.Args);
        json.Texts("env", process.Env);
        json.Text("cwd", process.Cwd);
        json.Object("capabilities", process.Capabilities, (sets, value) =>
        {
            sets.Texts("bounding", value.Bounding);
            sets.Texts("effective", value.Effective);
            sets.Texts("inheritable", value.Inheritable);
            sets.Texts("permitted", value.Permitted);
            sets.Texts("ambient", value.Ambient);
        });
        json.List("rlimits", process.Rlimits, (limit, value) =>
        {
            limit.Text("type", value.Type);
            limit.Unsigned("hard", value.Hard);
            limit.Unsigned("soft", value.Soft);
        });
        json.Flag("noNewPrivileges", process.NoNewPrivileges);
        json.Text("apparmorProfile", process.ApparmorProfile);
        json.Number("oomScoreAdj", process.OomScoreAdj);
        json.Object("scheduler", process.Scheduler, WriteScheduler);
        json.Text("selinuxLabel", process.SelinuxLabel);
        json.Object("ioPriority", process.IoPriority, (priority, value) =>
        {
            priority.Text("class", value.Class);
            priority.Number("priority", value.Priority);
        });
        json.Object("execCPUAffinity", process.ExecCpuAffinity, (affinity, value) =>
        {
            affinity.Text("initial", value.Initial);
            affinity.Text("final", value.Final);
        });
    }

    static void WriteScheduler(SpecWriter json, RuntimeScheduler scheduler)
    {
        json.Text("policy", scheduler.Policy);
        json.Number("nice", scheduler.Nice);
        json.Number("priority", scheduler.Priority);
        json.Texts("flags", scheduler.Flags);
        json.Unsigned("runtime", scheduler.Runtime);
        json.Unsigned("deadline", scheduler.Deadline);
        json.Unsigned("period", scheduler.Period);
    }

    static void WriteMount(SpecWriter json, RuntimeMount mount)
    {
        json.Text("destination", mount.Destination);
        json.Text("type", mount.Type);
        json.Text("source", mount.Source);
        json.Texts("options", mount.Options);
        json.List("uidMappings", mount.UidMappings, WriteMapping);
        json.List("gidMappings", mount.GidMappings, WriteMapping);
    }

    static void WriteMapping(SpecWriter json, RuntimeIdMapping mapping)
    {
        json.Unsigned("containerID", mapping.ContainerId);
        json.Unsigned("hostID", mapping.HostId);
        json.Unsigned("size", mapping.Size);
    }

    static void WriteHooks(SpecWriter json, RuntimeHooks hooks)
    {
        json.List("prestart", hooks.Prestart, WriteHook);
        json.List("createRuntime", hooks.CreateRuntime, WriteHook);
        json.List("createContainer", hooks.CreateContainer, WriteHook);
        json.List("startContainer", hooks.StartContainer, WriteHook);
        json.List("poststart", hooks.Poststart, WriteHook);
        json.List("poststop", hooks.Poststop, WriteHook);
    }

    static void WriteHook(SpecWriter json, RuntimeHook hook)
    {
        json.Text("path", hook.Path);
        json.Texts("args", hook.Args);
        json.Texts("env", hook.Env);
        json.Number("timeout", hook.Timeout);
    }
}
