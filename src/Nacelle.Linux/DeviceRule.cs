namespace Nacelle.Linux;

/// <summary>What may be done with a device: BPF_DEVCG_ACC_* of linux/bpf.h.</summary>
[Flags]
public enum DeviceAccess
{
    None = 0,
    MakeNode = 1,
    Read = 2,
    Write = 4,
    All = 7,
}

/// <summary>The kind of device: BPF_DEVCG_DEV_* of linux/bpf.h.</summary>
public enum DeviceKind
{
    Any = 0,
    Block = 1,
    Character = 2,
}

/// <summary>Allows or denies access to devices; of several rules for one device and one access the last counts.</summary>
/// <param name="Major">Null stands for all.</param>
/// <param name="Minor">Null stands for all.</param>
public readonly record struct DeviceRule(bool Allow, DeviceKind Kind, uint? Major, uint? Minor, DeviceAccess Access)
{
    /// <summary>What every container may use: any node may be made, few opened. The same as runc's.</summary>
    public static readonly DeviceRule[] Default =
    [
        new(true, DeviceKind.Character, null, null, DeviceAccess.MakeNode),
        new(true, DeviceKind.Block, null, null, DeviceAccess.MakeNode),
        new(true, DeviceKind.Character, 1, 3, DeviceAccess.All), // null
        new(true, DeviceKind.Character, 1, 5, DeviceAccess.All), // zero
        new(true, DeviceKind.Character, 1, 7, DeviceAccess.All), // full
        new(true, DeviceKind.Character, 1, 8, DeviceAccess.All), // random
        new(true, DeviceKind.Character, 1, 9, DeviceAccess.All), // urandom
        new(true, DeviceKind.Character, 5, 0, DeviceAccess.All), // tty
        new(true, DeviceKind.Character, 5, 1, DeviceAccess.All), // console
        new(true, DeviceKind.Character, 5, 2, DeviceAccess.All), // ptmx
        new(true, DeviceKind.Character, 136, null, DeviceAccess.All), // pts/*
    ];

    /// <summary>Lets everything pass.</summary>
    public static readonly DeviceRule AllowAll = new(true, DeviceKind.Any, null, null, DeviceAccess.All);

    /// <summary>Whether the rule speaks of this device at all.</summary>
    public bool Covers(DeviceKind kind, uint major, uint minor) =>
        (Kind == DeviceKind.Any || Kind == kind) && (Major is null || Major == major) && (Minor is null || Minor == minor);

    /// <summary>As version 1 writes it: <c>c 1:3 rwm</c>.</summary>
    public override string ToString() =>
        $"{(Kind == DeviceKind.Any ? 'a' : Kind == DeviceKind.Block ? 'b' : 'c')} {Major?.ToString() ?? "*"}:{Minor?.ToString() ?? "*"} "
        + ((Access & DeviceAccess.Read) != 0 ? "r" : "") + ((Access & DeviceAccess.Write) != 0 ? "w" : "") + ((Access & DeviceAccess.MakeNode) != 0 ? "m" : "");
}
