using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Finds the first file in which a layer is not what it should be, for a person: content before attributes, since with the one the others change.</summary>
static class LayerDifference
{
    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;

    /// <returns>As in <c>etc/passwd: its content</c>; null where the trees are the same.</returns>
    public static string? Find(FileDescriptor actual, FileDescriptor right) =>
        Find(actual, right, "") ?? Attributes("its root", (actual, "."), Files.Status(actual), (right, "."), Files.Status(right));

    static string? Find(FileDescriptor actual, FileDescriptor right, string prefix)
    {
        var names = Directories.List(actual).Concat(Directories.List(right)).Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            var path = LayerException.Printable(prefix + name);
            var (found, wanted) = (Files.TryStatus(actual, name, out _), Files.TryStatus(right, name, out _));
            var difference = found is null ? $"{path} is missing"
                : wanted is null ? $"{path} is not of the layer"
                : found.Value.Kind != wanted.Value.Kind ? $"{path}: its kind"
                : found is { Kind: FileKind.CharacterDevice, DeviceNumber: { Major: 0, Minor: 0 } } && wanted.Value.DeviceNumber == default ? null // whiteouts have nothing else
                : Content(path, actual, right, name, found.Value, prefix) ?? Attributes(path, (actual, name), found.Value, (right, name), wanted.Value);
            if (difference is not null)
            {
                return difference;
            }
        }

        return null;
    }

    static string? Attributes(string path, (FileDescriptor At, string Name) actual, FileStatus found, (FileDescriptor At, string Name) right, FileStatus wanted) =>
        found.Permissions != wanted.Permissions ? $"{path}: its mode"
        : (found.Owner, found.Group) != (wanted.Owner, wanted.Group) ? $"{path}: its owner"
        : !ExtendedAttributesOf(actual).SequenceEqual(ExtendedAttributesOf(right), StringComparer.Ordinal) ? $"{path}: its extended attributes"
        : found.ModificationTime != wanted.ModificationTime ? $"{path}: its time"
        : null;

    static IEnumerable<string> ExtendedAttributesOf((FileDescriptor At, string Name) file) =>
        ExtendedAttributes.List(file.At, file.Name).Where(name => name != "security.selinux").Order(StringComparer.Ordinal)
            .Select(name => $"{name} {Convert.ToHexStringLower(ExtendedAttributes.Get(file.At, file.Name, name) ?? [])}");

    static string? Content(string path, FileDescriptor actual, FileDescriptor right, string name, FileStatus status, string prefix)
    {
        switch (status.Kind)
        {
            case FileKind.Directory:
                using (FileDescriptor inner = Files.Open(actual, name, DirectoryFlags), rightInner = Files.Open(right, name, DirectoryFlags))
                {
                    return Find(inner, rightInner, $"{prefix}{name}/");
                }

            case FileKind.Regular:
                return IsSame(actual, right, name) switch { true => null, false => $"{path}: its content", null => $"{path} cannot be read" };
            case FileKind.Symlink:
                return Files.ReadLink(actual, name) == Files.ReadLink(right, name) ? null : $"{path}: where it leads";
            default:
                return status.DeviceNumber == Files.Status(right, name).DeviceNumber ? null : $"{path}: its device";
        }
    }

    /// <returns>Null where the file system refuses to read it.</returns>
    static bool? IsSame(FileDescriptor actual, FileDescriptor right, string name)
    {
        using FileDescriptor file = Files.Open(actual, name, OpenFlags.ReadOnly | OpenFlags.NoFollow), rightFile = Files.Open(right, name, OpenFlags.ReadOnly | OpenFlags.NoFollow);
        var (buffer, rightBuffer) = (new byte[65536], new byte[65536]);
        try
        {
            while (true)
            {
                int count = Fill(file, buffer), rightCount = Fill(rightFile, rightBuffer);
                if (!buffer.AsSpan(0, count).SequenceEqual(rightBuffer.AsSpan(0, rightCount)))
                {
                    return false;
                }

                if (count == 0)
                {
                    return true;
                }
            }
        }
        catch (KernelException failure) when (failure.Errno == Errno.EIO)
        {
            return null;
        }
    }

    static int Fill(FileDescriptor file, byte[] buffer)
    {
        int length = 0;
        for (int count; length < buffer.Length && (count = Files.Read(file, buffer.AsSpan(length))) > 0;)
        {
            length += count;
        }

        return length;
    }
}
