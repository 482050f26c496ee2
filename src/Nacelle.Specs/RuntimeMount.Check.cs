namespace Nacelle.Specs;

static partial class RuntimeConfigCheck
{
    // UID_GID_MAP_MAX_EXTENTS of the kernel's include/linux/user_namespace.h; user_namespaces(7).
    const int MostMappings = 340;

    static void Mounts(IReadOnlyList<RuntimeMount> mounts, RuntimeLinux linux)
    {
        for (int i = 0; i < mounts.Count; i++)
        {
            Mount($"mounts[{i}]", mounts[i], linux);
        }
    }

    static void Mount(string at, RuntimeMount mount, RuntimeLinux linux)
    {
        NotEmpty(at, ".destination", mount.Destination);
        Text(at, ".destination", mount.Destination);
        Text(at, ".type", mount.Type);
        Text(at, ".source", mount.Source);
        Texts(at, ".options", mount.Options);
        bool isBind = mount.Type == "bind" || Contains(mount.Options, "bind") || Contains(mount.Options, "rbind");
        if (isBind && mount.Source is null)
        {
            throw new SpecException($"{at}.source", "is missing, and so there is nothing to bind");
        }

        if (!isBind && mount.Type is null && !Contains(mount.Options, "remount"))
        {
            throw new SpecException($"{at}.type", "is missing, and neither bind nor rbind is among the options");
        }

        Mappings(at, ".uidMappings", mount.UidMappings);
        Mappings(at, ".gidMappings", mount.GidMappings);
        if (mount.UidMappings.Count > 0 != mount.GidMappings.Count > 0)
        {
            throw new SpecException($"{at}.{(mount.UidMappings.Count > 0 ? "gidMappings" : "uidMappings")}", "is missing: users and groups are mapped together or not at all");
        }

        if (mount.UidMappings.Count == 0 && linux.FindNamespace("user") is null && (Contains(mount.Options, "idmap") || Contains(mount.Options, "ridmap")))
        {
            throw new SpecException($"{at}.options", "idmap has nothing to map by: give the mount uidMappings and gidMappings, or the container a user namespace");
        }
    }

    /// <summary>What the kernel takes in uid_map: no empty range, none past the last id, and none over another, on either side. See user_namespaces(7).</summary>
    static void Mappings(string at, string member, IReadOnlyList<RuntimeIdMapping> mappings)
    {
        if (mappings.Count > MostMappings)
        {
            throw new SpecException(at + member, $"has {mappings.Count} ranges; the kernel takes at most {MostMappings}");
        }

        for (int i = 0; i < mappings.Count; i++)
        {
            var one = mappings[i];
            if (one.Size == 0)
            {
                throw new SpecException($"{at}{member}[{i}].size", "is 0: map one id at least");
            }

            if ((ulong)one.ContainerId + one.Size > uint.MaxValue || (ulong)one.HostId + one.Size > uint.MaxValue)
            {
                throw new SpecException($"{at}{member}[{i}].size", $"{one.Size} is too large: ids end at {uint.MaxValue - 1}");
            }

            for (int other = 0; other < i; other++)
            {
                if (Overlap(one.ContainerId, mappings[other].ContainerId, one.Size, mappings[other].Size)
                    || Overlap(one.HostId, mappings[other].HostId, one.Size, mappings[other].Size))
                {
                    throw new SpecException($"{at}{member}[{i}]", $"overlaps with {member[1..]}[{other}]");
                }
            }
        }
    }

    // Ends were found to be in range.
    static bool Overlap(uint one, uint other, uint size, uint otherSize) => one < other + otherSize && other < one + size;
}
