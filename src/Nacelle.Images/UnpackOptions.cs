using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>How a layer is unpacked; the defaults are for root and for overlayfs mounted by root, also for root of a user namespace.</summary>
public sealed record UnpackOptions
{
    public UnpackLimits Limits { get; init; } = UnpackLimits.Default;

    /// <summary><c>sha256</c> or <c>sha512</c>: what the expected diff-id is made with.</summary>
    public string DiffIdAlgorithm { get; init; } = "sha256";

    public ArchiveContent Content { get; init; } = ArchiveContent.Layer;

    public OverlayAttributes Overlay { get; init; } = UserNamespaces.IsInitial ? OverlayAttributes.Trusted : OverlayAttributes.User;

    public OwnerPolicy Owners { get; init; } = OwnerPolicy.Keep;

    public OwnerShift Shift { get; init; } = OwnerShift.None;

    public DevicePolicy Devices { get; init; } = UserNamespaces.IsInitial ? DevicePolicy.Make : DevicePolicy.Ignore;

    public AttributePolicy Attributes { get; init; } = AttributePolicy.Require;
}

/// <summary>What an archive is made of.</summary>
public enum ArchiveContent
{
    /// <summary>The changes of an OCI or Docker layer, whiteouts among them.</summary>
    Layer,

    /// <summary>Files and directories as they are. A name that looks like a whiteout is a name, and the archive is not hashed.</summary>
    Tree,

    /// <summary>An appc image: a manifest, and files below <c>rootfs</c>, of which these are unpacked. A name that looks like a whiteout is a name.</summary>
    Aci,
}

/// <summary>Under which names overlayfs looks for its attributes; without privileges it is mounted with <c>userxattr</c>. See overlayfs.rst.</summary>
public enum OverlayAttributes
{
    Trusted,
    User,
}

/// <summary>Whether files get the owners that the archive names. Without privileges only <see cref="Ignore"/> works.</summary>
public enum OwnerPolicy
{
    Keep,
    Ignore,

    /// <summary>All belongs to user and group 0, shifted as owners are.</summary>
    Root,
}

/// <summary>What becomes of extended attributes that the file system does not take.</summary>
public enum AttributePolicy
{
    /// <summary>The archive is refused.</summary>
    Require,

    /// <summary>They are left out, and counted in the result.</summary>
    WherePossible,
}

/// <summary>What becomes of device nodes, which only root may make.</summary>
public enum DevicePolicy
{
    Make,

    /// <summary>They are left out, and counted in the result.</summary>
    Ignore,
}

/// <summary>What was unpacked.</summary>
/// <param name="DiffId">The hash of the uncompressed archive, to be compared with the image configuration's; empty where it was not hashed.</param>
/// <param name="TarBytes">The archive's length.</param>
/// <param name="UnpackedBytes">The sum of all files' lengths, holes included.</param>
/// <param name="Entries">How many files of all kinds were made.</param>
public sealed record UnpackResult(byte[] DiffId, long TarBytes, long UnpackedBytes, long Entries)
{
    /// <summary>The root itself is opaque. Overlayfs does not look for that at the root: who mounts leaves out all lower layers.</summary>
    public bool RootIsOpaque { get; init; }

    /// <summary>Directories without an entry of their own: what attributes they should have only a lower layer knows. The root is "".</summary>
    public IReadOnlyList<string> ImpliedDirectories { get; init; } = [];

    /// <summary>Device nodes left out by <see cref="DevicePolicy.Ignore"/>.</summary>
    public long DevicesIgnored { get; init; }

    /// <summary>Extended attributes left out by <see cref="AttributePolicy.WherePossible"/>.</summary>
    public long AttributesIgnored { get; init; }
}
