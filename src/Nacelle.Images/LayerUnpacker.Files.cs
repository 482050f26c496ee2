using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Everything that is no directory. Attributes go on in an order that matters: see <see cref="MakeFile"/>.</summary>
public sealed partial class LayerUnpacker
{
    const uint SpecialBits = 0xE00, OwnerMayWrite = 0x80;

    void MakeFile(LayerDirectory parent, string name)
    {
        RefuseSteeringAttributes();
        if (entry.Size > options.Limits.UnpackedBytes - unpackedBytes)
        {
            throw new LayerException(
                entry.ToString(), $"has {entry.Size} bytes, which takes the layer over its limit of {options.Limits.UnpackedBytes}");
        }

        unpackedBytes += entry.Size;

        // Attributes of the "user" class can only be set on a file that is writable.
        uint mode = entry.Mode & ~SpecialBits, firstMode = entry.Attributes.Count > 0 ? mode | OwnerMayWrite : mode;
        using var file = CreateFile(parent, name, firstMode);
        if (entry.Segments is null)
        {
            for (var piece = reader.ReadData(); !piece.IsEmpty; piece = reader.ReadData())
            {
                Files.Write(file, piece);
                cancellation.ThrowIfCancellationRequested();
            }
        }
        else
        {
            WriteSparse(file, entry.Segments);
        }

        // A change of owner clears set-user-ID and file capabilities (chown(2)), so it comes first; the time comes last.
        if (NeedsOwner(out uint owner, out uint group))
        {
            Files.SetOwner(file, "", owner, group);
        }

        foreach (var attribute in entry.Attributes)
        {
            SetAttribute(entry.ToString(), attribute, value => ExtendedAttributes.Set(file, attribute.Name, value));
        }

        if (entry.Mode != firstMode || (mode & creation.Umask) != 0)
        {
            Files.SetMode(file, entry.Mode);
        }

        Files.SetTimes(file, "", entry.AccessTime, entry.ModificationTime);
    }

    FileDescriptor CreateFile(LayerDirectory parent, string name, uint mode)
    {
        const OpenFlags Flags = OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow;
        var file = Files.TryOpen(tree.Open(parent), name, Flags, out var error, mode);
        if (error == Errno.EEXIST)
        {
            tree.Remove(parent, name);
            file = Files.TryOpen(tree.Open(parent), name, Flags, out error, mode);
        }

        return file ?? throw new KernelException($"create {parent.Path}/{name}", error);
    }

    void WriteSparse(FileDescriptor file, List<TarSegment> segments)
    {
        foreach (var (offset, length) in segments)
        {
            Files.Seek(file, offset, SeekOrigin.Begin);
            for (long left = length; left > 0;)
            {
                var piece = reader.ReadData(left);
                Files.Write(file, piece);
                left -= piece.Length;
                cancellation.ThrowIfCancellationRequested();
            }
        }

        Files.SetLength(file, entry.Size);
    }

    /// <summary>A further name of a file in this layer. Attributes are the first name's; data that some archivers repeat is passed over.</summary>
    void MakeHardLink(LayerDirectory parent, string name)
    {
        var path = LayerPath.Check(entry.Link, entry, $"is a hard link to '{LinkText()}', which climbs out of the layer");
        var from = tree.Resolve(path.Directory, entry, make: false);
        var oldName = KernelString.Decode(path.Name);
        var status = from is null || oldName.Length == 0 ? null : Files.TryStatus(tree.Open(from), oldName, out _);
        if (status is null || (status.Value.Kind == FileKind.CharacterDevice && status.Value.DeviceNumber == default))
        {
            throw new LayerException(entry.ToString(), $"is a hard link to '{LinkText()}', which is not in this layer");
        }

        if (status.Value.Kind == FileKind.Directory)
        {
            throw new LayerException(entry.ToString(), $"is a hard link to '{LinkText()}', which is a directory");
        }

        if (from == parent && oldName == name)
        {
            return;
        }

        // Opening the one may close the other when all are in use, so the older is duplicated.
        using var fromDirectory = tree.Open(from!).Duplicate();
        var error = Files.TryLink(fromDirectory, oldName, tree.Open(parent), name);
        if (error == Errno.EEXIST)
        {
            tree.Remove(parent, name);
            error = Files.TryLink(fromDirectory, oldName, tree.Open(parent), name);
        }

        if (error != Errno.None)
        {
            throw new LayerException(entry.ToString(), $"cannot be linked to '{LinkText()}': {error}", new KernelException($"link {parent.Path}/{name}", error));
        }
    }

    void MakeSymlink(LayerDirectory parent, string name)
    {
        if (entry.Link.IsEmpty)
        {
            throw new LayerException(entry.ToString(), "is a symlink to nothing");
        }

        RefuseSteeringAttributes();
        var target = KernelString.Decode(entry.Link);
        var error = Files.TryMakeSymlink(target, tree.Open(parent), name);
        if (error == Errno.EEXIST)
        {
            tree.Remove(parent, name);
            error = Files.TryMakeSymlink(target, tree.Open(parent), name);
        }

        DescribeNamed(error, parent, name);
    }

    void MakeNode(LayerDirectory parent, string name)
    {
        RefuseSteeringAttributes();
        var kind = entry.Kind switch
        {
            TarEntryKind.CharacterDevice => FileKind.CharacterDevice,
            TarEntryKind.BlockDevice => FileKind.BlockDevice,
            _ => FileKind.Pipe,
        };
        if (kind == FileKind.CharacterDevice && entry.Device == default)
        {
            throw new LayerException(entry.ToString(), "is a character device 0/0, which overlayfs would take for a whiteout");
        }

        if (kind != FileKind.Pipe && options.Devices == DevicePolicy.Ignore)
        {
            devicesIgnored++;
            return;
        }

        uint mode = (uint)kind | (entry.Mode & ~SpecialBits);
        var error = Files.TryMakeNode(tree.Open(parent), name, mode, entry.Device);
        if (error == Errno.EEXIST)
        {
            tree.Remove(parent, name);
            error = Files.TryMakeNode(tree.Open(parent), name, mode, entry.Device);
        }

        if (error == Errno.EPERM)
        {
            throw new LayerException(
                entry.ToString(), $"is a device node ({entry.Device.Major}/{entry.Device.Minor}), which only root may make; devices can be left out by option");
        }

        DescribeNamed(error, parent, name);
        if (entry.Mode != (mode & 0xFFF) || (mode & creation.Umask) != 0)
        {
            Files.SetMode(tree.Open(parent), name, entry.Mode);
        }
    }

    /// <summary>Attributes of what cannot be opened without consequences.</summary>
    void DescribeNamed(Errno error, LayerDirectory parent, string name)
    {
        if (error != Errno.None)
        {
            throw new KernelException($"create {parent.Path}/{name}", error);
        }

        var at = tree.Open(parent);
        if (NeedsOwner(out uint owner, out uint group))
        {
            Files.SetOwner(at, name, owner, group);
        }

        foreach (var attribute in entry.Attributes)
        {
            SetAttribute(entry.ToString(), attribute, value => ExtendedAttributes.Set(at, name, attribute.Name, value));
        }

        Files.SetTimes(at, name, entry.AccessTime, entry.ModificationTime);
    }

    bool NeedsOwner(out uint owner, out uint group)
    {
        (owner, group) = (ShiftOwner(entry.Owner), ShiftOwner(entry.Group));
        return options.Owners != OwnerPolicy.Ignore && (owner != creation.Owner || group != creation.Group);
    }

    uint ShiftOwner(uint id) =>
        options.Owners == OwnerPolicy.Root ? options.Shift.First
        : options.Owners == OwnerPolicy.Ignore || options.Shift == OwnerShift.None ? id
        : options.Shift.TryApply(id, out uint shifted) ? shifted
        : throw new LayerException(entry.ToString(), $"has the owner or group {id}, and the user namespace has only {options.Shift.Count} ids");

    void SetAttribute(string name, TarAttribute attribute, Action<byte[]> set)
    {
        try
        {
            set(attribute.Name == "security.capability" ? options.Shift.ApplyToCapability(attribute.Value) : attribute.Value);
        }
        catch (KernelException refused) when (options.Attributes == AttributePolicy.WherePossible && refused.Errno is Errno.EOPNOTSUPP or Errno.EPERM)
        {
            attributesIgnored++;
        }
        catch (KernelException refused) when (refused.Errno is not (Errno.ENOSPC or Errno.EDQUOT or Errno.EIO or Errno.ENOMEM))
        {
            throw new LayerException(
                name, $"cannot get its extended attribute '{LayerException.Printable(attribute.Name)}': {refused.Errno}", refused);
        }
    }

    /// <summary>An image must not steer the file system that is to contain it.</summary>
    void RefuseSteeringAttributes()
    {
        foreach (var attribute in entry.Attributes)
        {
            if (Whiteout.SteersOverlay(attribute.Name))
            {
                throw new LayerException(
                    entry.ToString(), $"has the extended attribute '{LayerException.Printable(attribute.Name)}', which only overlayfs may set");
            }
        }
    }

    string LinkText() => LayerException.Printable(KernelString.Decode(entry.Link));
}
