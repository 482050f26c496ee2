using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Nacelle.Linux;

namespace Nacelle.Build.Tests;

/// <summary>A root file system, one line per file, so that two can be compared entry by entry.</summary>
static class ImageTree
{
    /// <param name="before">Times from then on are those of the build, and differ between any two.</param>
    public static SortedDictionary<string, string> Of(string path, DateTimeOffset before)
    {
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using var root = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
        Walk(root, "", lines, [], before);
        return lines;
    }

    static void Walk(FileDescriptor directory, string prefix, SortedDictionary<string, string> lines, Dictionary<ulong, string> inodes, DateTimeOffset before)
    {
        foreach (var (name, _) in Directories.List(directory).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            lines[prefix + name] = Describe(directory, name, prefix + name, inodes, before);
            if (Files.Status(directory, name).Kind == FileKind.Directory)
            {
                using var child = Files.Open(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow);
                Walk(child, $"{prefix}{name}/", lines, inodes, before);
            }
        }
    }

    static string Describe(FileDescriptor at, string name, string path, Dictionary<ulong, string> inodes, DateTimeOffset before)
    {
        var status = Files.Status(at, name);
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{status.Kind} {Convert.ToString(status.Permissions, 8)} {status.Owner}:{status.Group}"));
        text.Append(status.Kind switch
        {
            FileKind.Regular => $" {status.Size} {Convert.ToHexString(SHA256.HashData(Files.ReadAll(at, name)))[..16]}",
            FileKind.Symlink => $" -> {Files.ReadLink(at, name)}",
            FileKind.CharacterDevice or FileKind.BlockDevice => $" {status.DeviceNumber}",
            _ => "",
        });
        if (status.Kind == FileKind.Regular && status.Links > 1)
        {
            text.Append($" is {(inodes.TryAdd(status.Inode, path) ? "the first" : inodes[status.Inode])} of {status.Links}");
        }

        if (status.Kind == FileKind.Regular && status.ModificationTime.ToDateTimeOffset() < before)
        {
            text.Append($" {status.ModificationTime.Seconds}");
        }

        foreach (var attribute in ExtendedAttributes.List(at, name).Where(one => one != "security.selinux").Order(StringComparer.Ordinal))
        {
            text.Append($" {attribute}={Convert.ToHexString(ExtendedAttributes.Get(at, name, attribute) ?? [])}");
        }

        return text.ToString();
    }
}
