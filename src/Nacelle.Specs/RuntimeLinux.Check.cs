namespace Nacelle.Specs;

static partial class RuntimeConfigCheck
{
    static void Linux(RuntimeLinux linux)
    {
        Namespaces(linux.Namespaces);
        UserNamespace(linux);
        TimeOffsets(linux);
        Devices(linux.Devices);
        NetDevices(linux);
        CgroupsPath(linux.CgroupsPath);
        if (linux.Resources is { } resources)
        {
            Resources(resources, "linux.resources.");
        }

        if (linux.IntelRdt is { } rdt)
        {
            IntelRdt("linux.intelRdt", rdt);
        }

        if (linux.MemoryPolicy is { } policy)
        {
            MemoryPolicy("linux.memoryPolicy", policy);
        }

        if (linux.Seccomp is { } seccomp)
        {
            Seccomp("linux.seccomp", seccomp);
        }

        if (linux.RootfsPropagation is { } propagation)
        {
            OneOf("linux.rootfsPropagation", "", propagation, "a propagation", RuntimeNames.Propagations);
        }

        HiddenPaths("linux.maskedPaths", linux.MaskedPaths, linux);
        HiddenPaths("linux.readonlyPaths", linux.ReadonlyPaths, linux);
        Text("linux", ".mountLabel", linux.MountLabel);
        if (linux.Personality is { } personality)
        {
            OneOf("linux.personality", ".domain", personality.Domain, "an execution domain", RuntimeNames.PersonalityDomains);
            if (personality.Flags.Count > 0)
            {
                throw new SpecException("linux.personality.flags", $"'{Short(personality.Flags[0])}' is not a flag: the specification has none");
            }
        }
    }

    static void CgroupsPath(string? path)
    {
        Text("linux", ".cgroupsPath", path);
        foreach (var range in path.AsSpan().Split('/'))
        {
            if (path.AsSpan()[range] is "..")
            {
                throw new SpecException("linux.cgroupsPath", $"'{Short(path!)}' leads out of where it starts: leave out '..'");
            }
        }
    }

    /// <summary>In the host's mount namespace, it would be the host's files that are hidden.</summary>
    static void HiddenPaths(string at, IReadOnlyList<string> paths, RuntimeLinux linux)
    {
        AbsolutePaths(at, paths);
        if (paths.Count > 0 && linux.FindNamespace("mount") is null)
        {
            throw new SpecException(at, "would change the host: give the container a mount namespace");
        }
    }

    static void IntelRdt(string at, RuntimeIntelRdt rdt)
    {
        if (rdt.ClosId is { } id && id != "/" && (id is "." or ".." || id.AsSpan().ContainsAny("/\0\n")))
        {
            throw new SpecException($"{at}.closID", $"'{Short(id)}' is not the name of a directory, nor '/'");
        }

        SchemaLine(at, ".l3CacheSchema", rdt.L3CacheSchema);
        SchemaLine(at, ".memBwSchema", rdt.MemBwSchema);
        if (rdt.MemBwSchema?.StartsWith("MB:", StringComparison.Ordinal) == false)
        {
            throw new SpecException($"{at}.memBwSchema", $"'{Short(rdt.MemBwSchema)}' does not start with MB:");
        }

        for (int i = 0; i < rdt.Schemata.Count; i++)
        {
            SchemaLine(at, $".schemata[{i}]", rdt.Schemata[i]);
        }
    }

    static void SchemaLine(string at, string member, string? line)
    {
        if (line.AsSpan().ContainsAny('\n', '\0'))
        {
            throw new SpecException(at + member, $"'{Short(line!)}' is more than one line");
        }
    }

    /// <summary>See set_mempolicy(2).</summary>
    static void MemoryPolicy(string at, RuntimeMemoryPolicy policy)
    {
        OneOf(at, ".mode", policy.Mode, "a memory policy", RuntimeNames.MemoryPolicyModes);
        AllOf(at, ".flags", policy.Flags, "a flag of memory policies", RuntimeNames.MemoryPolicyFlags);
        NumberList(at, ".nodes", policy.Nodes);
        bool isNodeless = policy.Mode is "MPOL_DEFAULT" or "MPOL_LOCAL";
        if (isNodeless && policy.Nodes is not null)
        {
            throw new SpecException($"{at}.nodes", $"{policy.Mode} takes no nodes");
        }

        if (!isNodeless && policy.Nodes is null && policy.Mode != "MPOL_PREFERRED")
        {
            throw new SpecException($"{at}.nodes", $"is missing: {policy.Mode} takes at least one node");
        }

        bool isStatic = Contains(policy.Flags, "MPOL_F_STATIC_NODES");
        bool isRelative = Contains(policy.Flags, "MPOL_F_RELATIVE_NODES");
        if (isStatic && isRelative)
        {
            throw new SpecException($"{at}.flags", "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
        }

        if ((isStatic || isRelative) && policy.Nodes is null)
        {
            throw new SpecException($"{at}.flags", $"{(isStatic ? "MPOL_F_STATIC_NODES" : "MPOL_F_RELATIVE_NODES")} says how nodes are meant, and there are none");
        }

        if (Contains(policy.Flags, "MPOL_F_NUMA_BALANCING") && policy.Mode is not ("MPOL_BIND" or "MPOL_PREFERRED_MANY"))
        {
            throw new SpecException($"{at}.flags", $"MPOL_F_NUMA_BALANCING goes with MPOL_BIND and MPOL_PREFERRED_MANY, not with {policy.Mode}");
        }
    }
}
