namespace Nacelle.Specs;

static partial class RuntimeConfigCheck
{
    static readonly string[] Clocks = ["monotonic", "boottime"];

    static void Namespaces(IReadOnlyList<RuntimeNamespace> namespaces)
    {
        for (int i = 0; i < namespaces.Count; i++)
        {
            var (type, path) = namespaces[i];
            OneOf($"linux.namespaces[{i}]", ".type", type, "a namespace", RuntimeNames.Namespaces);
            if (path is not null)
            {
                AbsolutePath($"linux.namespaces[{i}]", ".path", path);
            }

            for (int other = 0; other < i; other++)
            {
                if (namespaces[other].Type == type)
                {
                    throw new SpecException($"linux.namespaces[{i}].type", $"'{type}' is there twice");
                }
            }
        }
    }

    /// <summary>A joined namespace has its mappings already; engines repeat them, and they are passed over.</summary>
    static void UserNamespace(RuntimeLinux linux)
    {
        Mappings("linux", ".uidMappings", linux.UidMappings);
        Mappings("linux", ".gidMappings", linux.GidMappings);
        bool users = linux.UidMappings.Count > 0;
        bool groups = linux.GidMappings.Count > 0;
        if ((users || groups) && linux.FindNamespace("user") is null)
        {
            throw new SpecException(users ? "linux.uidMappings" : "linux.gidMappings", "has no user namespace to apply to");
        }

        if (users != groups)
        {
            throw new SpecException(users ? "linux.gidMappings" : "linux.uidMappings", "is missing: users and groups are mapped together or not at all");
        }
    }

    /// <summary>Nobody can become a user or group that a namespace does not map. See user_namespaces(7).</summary>
    static void UserIsMapped(RuntimeUser user, RuntimeLinux linux)
    {
        if (linux.FindNamespace("user") is not { Path: null } || linux.UidMappings.Count == 0)
        {
            return;
        }

        IdIsMapped("process.user.uid", user.Uid, linux.UidMappings, "linux.uidMappings");
        IdIsMapped("process.user.gid", user.Gid, linux.GidMappings, "linux.gidMappings");
        for (int i = 0; i < user.AdditionalGids.Count; i++)
        {
            if (!IsMapped(user.AdditionalGids[i], linux.GidMappings))
            {
                IdIsMapped($"process.user.additionalGids[{i}]", user.AdditionalGids[i], linux.GidMappings, "linux.gidMappings");
            }
        }
    }

    static void IdIsMapped(string at, uint id, IReadOnlyList<RuntimeIdMapping> mappings, string where)
    {
        if (!IsMapped(id, mappings))
        {
            throw new SpecException(at, $"{id} is not among those that {where} maps");
        }
    }

    static bool IsMapped(uint id, IReadOnlyList<RuntimeIdMapping> mappings)
    {
        for (int i = 0; i < mappings.Count; i++)
        {
            if (id >= mappings[i].ContainerId && id - mappings[i].ContainerId < mappings[i].Size)
            {
                return true;
            }
        }

        return false;
    }

    static void TimeOffsets(RuntimeLinux linux)
    {
        if (linux.TimeOffsets is not { Count: > 0 } offsets)
        {
            return;
        }

        if (linux.FindNamespace("time") is not { Path: null })
        {
            throw new SpecException("linux.timeOffsets", "has no time namespace of the container's own to apply to");
        }

        foreach (var (clock, offset) in offsets)
        {
            OneOf("linux.timeOffsets", "", clock, "a clock with an offset", Clocks);
            Within($"linux.timeOffsets.{clock}", ".nanosecs", offset.Nanosecs, 0, 999_999_999);
        }
    }
}
