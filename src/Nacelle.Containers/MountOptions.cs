using Nacelle.Linux;

namespace Nacelle.Containers;

/// <summary>A mount's options sorted out: what is an attribute of the mount, what concerns binding and propagation, and what the file system takes itself.</summary>
/// <remarks>OCI runtime specification 1.2, config.md, "Linux mount options"; mount(8) for the names.</remarks>
sealed record MountOptions
{
    public MountAttributes Set { get; private set; }

    /// <summary>Attributes that hold for what is mounted below too (the options that begin with an r, such as rro).</summary>
    public MountAttributes SetRecursively { get; private set; }

    public MountAttributes Clear { get; private set; }

    public MountPropagation Propagation { get; private set; }

    public bool PropagationIsRecursive { get; private set; }

    public bool IsBind { get; private set; }

    public bool IsRecursiveBind { get; private set; }

    /// <summary>For the file system: "name" or "name=value".</summary>
    public List<string> FileSystem { get; } = [];

    public static MountOptions Parse(IReadOnlyList<string> options, string? type)
    {
        var parsed = new MountOptions { IsBind = type == "bind" };
        foreach (var option in options)
        {
            if (!parsed.Take(option))
            {
                parsed.FileSystem.Add(option);
            }
        }

        return parsed;
    }

    bool Take(string option)
    {
        switch (option)
        {
            case "defaults" or "async" or "loud" or "norelatime" or "nolazytime" or "nomand" or "nostrictatime": return true;
            case "bind": IsBind = true; return true;
            case "rbind": IsBind = IsRecursiveBind = true; return true;
            case "ro": return Add(MountAttributes.ReadOnly);
            case "rw": return Remove(MountAttributes.ReadOnly);
            case "nosuid": return Add(MountAttributes.NoSetUserId);
            case "suid": return Remove(MountAttributes.NoSetUserId);
            case "nodev": return Add(MountAttributes.NoDevices);
            case "dev": return Remove(MountAttributes.NoDevices);
            case "noexec": return Add(MountAttributes.NoExecute);
            case "exec": return Remove(MountAttributes.NoExecute);
            case "nosymfollow": return Add(MountAttributes.NoSymlinkFollow);
            case "symfollow": return Remove(MountAttributes.NoSymlinkFollow);
            case "nodiratime": return Add(MountAttributes.NoDirectoryAccessTime);
            case "diratime": return Remove(MountAttributes.NoDirectoryAccessTime);
            case "noatime": return AccessTime(MountAttributes.NoAccessTime);
            case "strictatime": return AccessTime(MountAttributes.StrictAccessTime);
            case "relatime" or "atime": return AccessTime(MountAttributes.None);
            case "rro": SetRecursively |= MountAttributes.ReadOnly; return true;
            case "rnosuid": SetRecursively |= MountAttributes.NoSetUserId; return true;
            case "rnodev": SetRecursively |= MountAttributes.NoDevices; return true;
            case "rnoexec": SetRecursively |= MountAttributes.NoExecute; return true;
            case "private" or "rprivate": return Propagate(MountPropagation.Private, option);
            case "slave" or "rslave": return Propagate(MountPropagation.Slave, option);
            case "shared" or "rshared": return Propagate(MountPropagation.Shared, option);
            case "unbindable" or "runbindable": return Propagate(MountPropagation.Unbindable, option);
            default: return false;
        }
    }

    bool Add(MountAttributes attributes)
    {
        Set |= attributes;
        Clear &= ~attributes;
        return true;
    }

    bool Remove(MountAttributes attributes)
    {
        Set &= ~attributes;
        Clear |= attributes;
        return true;
    }

    bool AccessTime(MountAttributes attributes)
    {
        // The access time modes are values of one field: the mask is cleared whenever one of them is set. See mount_setattr(2).
        Set = (Set & ~MountAttributes.AccessTimeMask) | attributes;
        Clear |= MountAttributes.AccessTimeMask;
        return true;
    }

    bool Propagate(MountPropagation propagation, string option)
    {
        Propagation = propagation;
        PropagationIsRecursive = option[0] == 'r';
        return true;
    }
}
