using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>What files become when they are copied.</summary>
/// <param name="Owner">null: as in the tree, or root's where it is the context.</param>
/// <param name="Mode">null: as in the tree.</param>
/// <param name="Excludes">Paths relative to what is copied.</param>
sealed record CopyRules((uint User, uint Group)? Owner, ModeChange? Mode, IgnorePatterns Excludes)
{
    const uint SetIdentity = 0xC00;

    public (uint User, uint Group) OwnerOf(SourceTree tree, FileStatus status) => Owner ?? (tree.IsContext ? (0, 0) : (status.Owner, status.Group));

    public uint ModeOf(SourceTree tree, FileStatus status)
    {
        uint mode = tree.IsContext && status.Kind != FileKind.Directory ? status.Permissions & ~SetIdentity : status.Permissions;
        return Mode?.Apply(mode, status.Kind) ?? mode;
    }

    /// <summary>The owner of directories that only a destination's path names.</summary>
    public (uint User, uint Group) ParentOwner => Owner ?? (0, 0);

    /// <summary>What belongs to a file wherever it lies.</summary>
    public static IEnumerable<string> AttributesOf(FileDescriptor file) =>
        ExtendedAttributes.List(file).Where(name => name == "security.capability" || (name.StartsWith("user.", StringComparison.Ordinal) && !name.StartsWith("user.overlay.", StringComparison.Ordinal)));
}
