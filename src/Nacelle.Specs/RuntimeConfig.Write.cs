namespace Nacelle.Specs;

/// <summary>Writing config.json; the other half of <see cref="RuntimeConfigReader"/>.</summary>
static class RuntimeConfigWriter
{
    public static void Write(SpecWriter json, RuntimeConfig config)
    {
        json.Text("ociVersion", config.OciVersion);
        json.Object("root", config.Root, (root, value) =>
        {
            root.Text("path", value.Path);
            root.Flag("readonly", value.Readonly);
        });
        json.Text("hostname", config.Hostname);
        json.Object("process", config.Process, WriteProcess);
        json.List("mounts", config.Mounts, (mount, value) =>
        {
            mount.Text("destination", value.Destination);
            mount.Text("type", value.Type);
            mount.Text("source", value.Source);
            mount.Texts("options", value.Options);
        });
        json.Map("annotations", config.Annotations);
        json.Object("linux", config.Linux, WriteLinux);
    }

    static void WriteProcess(SpecWriter json, RuntimeProcess process)
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
            limit.Unsigned("soft", value.Soft);
            limit.Unsigned("hard", value.Hard);
        });
        json.Flag("noNewPrivileges", process.NoNewPrivileges);
        json.Number("oomScoreAdj", process.OomScoreAdj);
    }

    static void WriteLinux(SpecWriter json, RuntimeLinux linux)
    {
        json.List("namespaces", linux.Namespaces, (one, value) =>
        {
            one.Text("type", value.Type);
            one.Text("path", value.Path);
        });
        json.List("uidMappings", linux.UidMappings, WriteMapping);
        json.List("gidMappings", linux.GidMappings, WriteMapping);
        json.List("devices", linux.Devices, (device, value) =>
        {
            device.Text("type", value.Type);
            device.Text("path", value.Path);
            device.Unsigned("major", value.Major);
            device.Unsigned("minor", value.Minor);
            device.Unsigned("fileMode", value.FileMode);
            device.Unsigned("uid", value.Uid);
            device.Unsigned("gid", value.Gid);
        });
        json.Text("cgroupsPath", linux.CgroupsPath);
        json.Object("resources", linux.Resources, WriteResources);
        json.Object("seccomp", linux.Seccomp, WriteSeccomp);
        json.Map("sysctl", linux.Sysctl);
        json.Texts("maskedPaths", linux.MaskedPaths);
        json.Texts("readonlyPaths", linux.ReadonlyPaths);
    }

    static void WriteMapping(SpecWriter json, RuntimeIdMapping mapping)
    {
        json.Unsigned("containerID", mapping.ContainerId);
        json.Unsigned("hostID", mapping.HostId);
        json.Unsigned("size", mapping.Size);
    }

    static void WriteResources(SpecWriter json, RuntimeResources resources)
    {
        json.List("devices", resources.Devices, (rule, value) =>
        {
            rule.Flag("allow", value.Allow);
            rule.Text("type", value.Type);
            rule.Number("major", value.Major);
            rule.Number("minor", value.Minor);
            rule.Text("access", value.Access);
        });
        json.Object("memory", resources.Memory, (memory, value) =>
        {
            memory.Number("limit", value.Limit);
            memory.Number("reservation", value.Reservation);
            memory.Number("swap", value.Swap);
        });
        json.Object("cpu", resources.Cpu, (cpu, value) =>
        {
            cpu.Unsigned("shares", value.Shares);
            cpu.Number("quota", value.Quota);
            cpu.Unsigned("period", value.Period);
            cpu.Text("cpus", value.Cpus);
            cpu.Text("mems", value.Mems);
        });
        json.Object("pids", resources.Pids, (pids, value) => pids.Number("limit", value.Limit));
    }

    static void WriteSeccomp(SpecWriter json, RuntimeSeccomp seccomp)
    {
        json.Text("defaultAction", seccomp.DefaultAction);
        json.Unsigned("defaultErrnoRet", seccomp.DefaultErrnoRet);
        json.Texts("architectures", seccomp.Architectures);
        json.Texts("flags", seccomp.Flags);
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
