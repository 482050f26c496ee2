using System.Security.Cryptography;
using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Unpacks one layer into a directory that can serve as a lower directory of overlayfs, and computes its diff-id in the same pass.</summary>
/// <remarks>OCI image specification 1.1, layer.md. Nothing outside the directory is read or written, whatever the archive says: see <see cref="LayerTree"/>.</remarks>
public sealed partial class LayerUnpacker
{
    readonly UnpackOptions options;
    readonly TarReader reader;
    readonly TarEntry entry;
    readonly LayerTree tree;
    readonly CancellationToken cancellation;
    readonly FileCreation creation;
    readonly List<string> implied = [];
    long unpackedBytes, devicesIgnored, attributesIgnored;

    LayerUnpacker(TarReader reader, LayerTree tree, UnpackOptions options, CancellationToken cancellation)
    {
        (this.reader, this.tree, this.options, this.cancellation) = (reader, tree, options, cancellation);
        entry = reader.Entry;
        creation = FileCreation.OfThisThread();
    }

    /// <param name="compressed">Read to its end, blocking; not disposed.</param>
    /// <param name="compression">Usually <see cref="LayerCompression.Detect"/>.</param>
    /// <param name="target">An open, empty directory that nobody else writes to; not O_PATH.</param>
    /// <exception cref="LayerException">The archive is damaged, breaks a limit, or wants what no layer may want; the target is then left half filled.</exception>
    /// <exception cref="KernelException">The machine's fault: no room, no right. The source's own exceptions pass through as they are.</exception>
    public static UnpackResult Unpack(
        Stream compressed, LayerCompression compression, FileDescriptor target, UnpackOptions options, CancellationToken cancellation = default)
    {
        using var hash = options.Content == ArchiveContent.Tree ? null
            : IncrementalHash.CreateHash(options.DiffIdAlgorithm == "sha512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
        using var archive = Decompression.Open(compressed, compression);
        using var reader = new TarReader(archive, options.Limits, hash);
        using var tree = new LayerTree(target, options.Limits);
        var unpacker = new LayerUnpacker(reader, tree, options, cancellation);
        unpacker.Run(target);
        return new UnpackResult(hash?.GetHashAndReset() ?? [], reader.TotalBytes, unpacker.unpackedBytes, tree.Entries)
        {
            RootIsOpaque = tree.Root.Opaque,
            ImpliedDirectories = unpacker.implied,
            DevicesIgnored = unpacker.devicesIgnored,
            AttributesIgnored = unpacker.attributesIgnored,
        };
    }

    void Run(FileDescriptor target)
    {
        if (Files.Status(target) is var status && (status.Owner != creation.Owner || status.Group != creation.Group))
        {
            Files.SetOwner(target, "", creation.Owner, creation.Group);
        }

        Files.SetMode(target, 0x1C0);
        while (reader.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            if (options.Content == ArchiveContent.Aci && !AciArchive.EnterRootfs(entry))
            {
                continue;
            }

            try
            {
                UnpackEntry();
            }
            catch (KernelException refused) when (IsTheArchivesFault(refused.Errno))
            {
                throw new LayerException(entry.ToString(), $"cannot be made: {refused.Message}", refused);
            }
        }

        tree.Finish(FinishDirectory);
    }

    void UnpackEntry()
    {
        var path = LayerPath.Check(entry.Name, entry, "climbs out of its directory by '..'");
        bool mayHide = options.Content == ArchiveContent.Layer;
        var whiteout = mayHide ? path.DirectoryWhiteout() : WhiteoutKind.None;
        var hidden = ReadOnlySpan<byte>.Empty;
        if (mayHide && whiteout == WhiteoutKind.None)
        {
            whiteout = Whiteout.Recognize(path.Name, out hidden);
        }

        switch (whiteout)
        {
            case WhiteoutKind.Metadata:
                return;
            case WhiteoutKind.Invalid:
                throw new LayerException(entry.ToString(), "is a whiteout of nothing that could exist");
        }

        if (path.Name.IsEmpty)
        {
            DescribeDirectory(tree.Root);
            return;
        }

        var parent = tree.Resolve(path.Directory, entry, make: true)!;
        switch (whiteout)
        {
            case WhiteoutKind.Opaque:
                parent.Opaque = true;
                break;
            case WhiteoutKind.Name:
                MakeWhiteout(parent, KernelString.Decode(hidden));
                break;
            default:
                Make(parent, KernelString.Decode(path.Name));
                break;
        }
    }

    void Make(LayerDirectory parent, string name)
    {
        if (entry.Kind == TarEntryKind.Directory)
        {
            DescribeDirectory(tree.Enter(parent, name, entry.ToString()));
            return;
        }

        tree.CountEntry(entry.ToString());
        switch (entry.Kind)
        {
            case TarEntryKind.File: MakeFile(parent, name); break;
            case TarEntryKind.HardLink: MakeHardLink(parent, name); break;
            case TarEntryKind.Symlink: MakeSymlink(parent, name); break;
            default: MakeNode(parent, name); break;
        }
    }

    /// <summary>A character device 0/0, which hides the name from lower layers. What this layer itself has under that name stays.</summary>
    /// <remarks>Needs no privilege since Linux 5.8. Whiteouts apply to lower layers only, wherever in the archive they stand.</remarks>
    void MakeWhiteout(LayerDirectory parent, string name)
    {
        tree.CountEntry(entry.ToString());
        var error = Files.TryMakeNode(tree.Open(parent), name, (uint)FileKind.CharacterDevice, default);
        if (error is not (Errno.None or Errno.EEXIST))
        {
            throw new KernelException($"create whiteout {parent.Path}/{name}", error);
        }

        if (error == Errno.EEXIST && parent.Children?.GetValueOrDefault(name) is { } directory)
        {
            directory.Fresh = true;
        }
    }

    void DescribeDirectory(LayerDirectory directory)
    {
        RefuseSteeringAttributes();
        directory.Attributes = new LayerAttributes(
            entry.Mode, ShiftOwner(entry.Owner), ShiftOwner(entry.Group), entry.AccessTime, entry.ModificationTime, [.. entry.Attributes]);
    }

    void FinishDirectory(LayerDirectory directory, FileDescriptor file)
    {
        if ((directory.Opaque || directory.Fresh) && directory.Parent is not null)
        {
            ExtendedAttributes.Set(file, options.Overlay == OverlayAttributes.Trusted ? "trusted.overlay.opaque" : "user.overlay.opaque", "y"u8);
        }

        if (directory.HidesLower)
        {
            RemoveIdleWhiteouts(file);
        }

        var attributes = directory.Attributes;
        if (attributes is null)
        {
            if (directory.Found)
            {
                return;
            }

            if (!directory.Fresh)
            {
                implied.Add(directory.Path);
            }

            // What lower layers say of it is not known here. The time is fixed so that the same layer always unpacks to the same tree.
            _ = options.Shift.TryApply(0, out uint root);
            attributes = new LayerAttributes(0x1ED, root, root, default, default, []);
        }

        try
        {
            if (options.Owners != OwnerPolicy.Ignore && (attributes.Owner != creation.Owner || attributes.Group != creation.Group || directory.Found))
            {
                Files.SetOwner(file, "", attributes.Owner, attributes.Group);
            }

            foreach (var attribute in attributes.Extended)
            {
                SetAttribute(directory.Path, attribute, value => ExtendedAttributes.Set(file, attribute.Name, value));
            }

            Files.SetMode(file, attributes.Mode);
            Files.SetTimes(file, "", attributes.Access, attributes.Modification);
        }
        catch (KernelException refused) when (IsTheArchivesFault(refused.Errno))
        {
            throw new LayerException(directory.Path, $"cannot be made: {refused.Message}", refused);
        }
    }

    /// <summary>
    /// Below an opaque directory there is nothing left to hide. Overlayfs does not merge such a directory with anything, and so would list its whiteouts
    /// as files that cannot be opened.
    /// </summary>
    static void RemoveIdleWhiteouts(FileDescriptor directory)
    {
        foreach (var (name, kind) in Directories.List(directory))
        {
            if (kind is FileKind.CharacterDevice or 0 && Files.Status(directory, name) is { Kind: FileKind.CharacterDevice } found && found.DeviceNumber == default)
            {
                Files.Unlink(directory, name);
            }
        }
    }

    /// <summary>Everything but what the machine lacks: room, memory, descriptors, rights.</summary>
    static bool IsTheArchivesFault(Errno errno) =>
        errno is not (Errno.ENOSPC or Errno.EDQUOT or Errno.EIO or Errno.EROFS or Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM or Errno.EPERM or Errno.EACCES);
}
