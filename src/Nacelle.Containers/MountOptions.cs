using Nacelle.Linux;

namespace Nacelle.Containers;

/// <summary>A mount's options sorted out: what is an attribute of the mount, what concerns binding and propagation, and what the file system takes itself.</summary>
/// <remarks>OCI runtime specification 1.3.0, config.md, "Linux mount options"; mount(8) for the names.</remarks>
public sealed record MountOptions
{
    /// <summary>Names that change attributes of a mount; with an r in front they also hold for what is mounted below.</summary>
    static readonly (string Name, MountAttributes Attribute, bool Set)[] Attributes =
    [
        ("ro", MountAttributes.ReadOnly, true), ("rw", MountAttributes.ReadOnly, false),
        ("nosuid", MountAttributes.NoSetUserId, true), ("suid", MountAttributes.NoSetUserId, false),
        ("nodev", MountAttributes.NoDevices, true), ("dev", MountAttributes.NoDevices, false),
        ("noexec", MountAttributes.NoExecute, true), ("exec", MountAttributes.NoExecute, false),
        ("nosymfollow", MountAttributes.NoSymlinkFollow, true), ("symfollow", MountAttributes.NoSymlinkFollow, false),
        ("nodiratime", MountAttributes.NoDirectoryAccessTime, true), ("diratime", MountAttributes.NoDirectoryAccessTime, false),
    ];

    /// <summary>The access time modes are values of one field, of which 0 is relatime. See mount_setattr(2).</summary>
    static readonly (string Name, MountAttributes Value)[] AccessTimes =
    [
        ("noatime", MountAttributes.NoAccessTime), ("strictatime", MountAttributes.StrictAccessTime), ("relatime", MountAttributes.None),
        ("atime", MountAttributes.None), ("nostrictatime", MountAttributes.None), ("norelatime", MountAttributes.None),
    ];

    static readonly (string Name, MountPropagation Value)[] Propagations =
    [
        ("private", MountPropagation.Private), ("slave", MountPropagation.Slave), ("shared", MountPropagation.Shared), ("unbindable", MountPropagation.Unbindable),
    ];

    /// <summary>Defaults, and what the kernel has always or never: "iversion" and "mand" mean nothing to it any more.</summary>
    static readonly string[] WithoutEffect =
        ["defaults", "async", "loud", "silent", "nolazytime", "iversion", "noiversion", "mand", "nomand"];

    public MountAttributes Set { get; private set; }

    public MountAttributes Clear { get; private set; }

    /// <summary>Attributes that hold for what is mounted below too.</summary>
    public MountAttributes SetRecursively { get; private set; }

    public MountAttributes ClearRecursively { get; private set; }

    public MountPropagation Propagation { get; private set; }

    public bool PropagationIsRecursive { get; private set; }

    public bool IsBind { get; private set; }

    public bool IsRecursiveBind { get; private set; }

    /// <summary>Changes the mount that is there already.</summary>
    public bool IsRemount { get; private set; }

    /// <summary>A tmpfs that starts with what the rootfs has at that place.</summary>
    public bool CopiesUp { get; private set; }

    public bool IsIdMapped { get; private set; }

    public bool IsIdMappedRecursively { get; private set; }

    /// <summary>For the file system: "name" or "name=value".</summary>
    public List<string> FileSystem { get; } = [];

    /// <summary>All the names that are not for the file system itself, for the runtime's features.</summary>
    public static IEnumerable<string> Names =>
    [
        .. Attributes.Select(one => one.Name), .. Attributes.Select(one => $"r{one.Name}"),
        .. AccessTimes.Select(one => one.Name), .. AccessTimes.Select(one => $"r{one.Name}"),
        .. Propagations.Select(one => one.Name), .. Propagations.Select(one => $"r{one.Name}"),
        .. WithoutEffect, "bind", "rbind", "remount", "tmpcopyup", "idmap", "ridmap", "sync", "dirsync", "lazytime",
    ];

    public static MountOptions Parse(IReadOnlyList<string> options, string? type)
    {
        var parsed = new MountOptions { IsBind = type == "bind" };
        foreach (var option in options)
        {
            parsed.Take(option);
        }

        return parsed;
    }

    void Take(string option)
    {
        switch (option)
        {
            case "bind": IsBind = true; return;
            case "rbind": IsBind = IsRecursiveBind = true; return;
            case "remount": IsRemount = true; return;
            case "tmpcopyup": CopiesUp = true; return;
            case "idmap": IsIdMapped = true; return;
            case "ridmap": IsIdMapped = IsIdMappedRecursively = true; return;
        }

        if (!TakeAttribute(option, recursive: false) && !TakePropagation(option)
            && !(option.StartsWith('r') && TakeAttribute(option[1..], recursive: true)) && !WithoutEffect.Contains(option))
        {
            FileSystem.Add(option);
        }
    }

    bool TakeAttribute(string option, bool recursive)
    {
        foreach (var (name, attribute, set) in Attributes)
        {
            if (name == option)
            {
                Change(set ? attribute : 0, set ? 0 : attribute, recursive);
                return true;
            }
        }

        foreach (var (name, value) in AccessTimes)
        {
            if (name == option)
            {
                Change(0, MountAttributes.AccessTimeMask, recursive);
                Change(value, 0, recursive, keepCleared: true);
                return true;
            }
        }

        return false;
    }

    /// <summary>The last word about an attribute counts; the access time's mask stays among what is cleared, as the kernel wants it.</summary>
    void Change(MountAttributes set, MountAttributes clear, bool recursive, bool keepCleared = false)
    {
        if (recursive)
        {
            SetRecursively = (SetRecursively & ~clear) | set;
            ClearRecursively = (keepCleared ? ClearRecursively : ClearRecursively & ~set) | clear;
        }
        else
        {
            Set = (Set & ~clear) | set;
            Clear = (keepCleared ? Clear : Clear & ~set) | clear;
        }
    }

    bool TakePropagation(string option)
    {
        foreach (var (name, value) in Propagations)
        {
            if (option == name || (option.Length == name.Length + 1 && option[0] == 'r' && option.EndsWith(name, StringComparison.Ordinal)))
            {
                Propagation = value;
                PropagationIsRecursive = option != name;
                return true;
            }
        }

        return false;
    }
}
