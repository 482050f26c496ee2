using System.Security.Cryptography;
using System.Text;
using Nacelle.Linux;

namespace Nacelle.Images.Tests;

/// <summary>Everything that can be told of a tree, one line per file, so that two trees can be compared as text.</summary>
static class LayerSnapshot
{
    /// <param name="directory">Not O_PATH.</param>
    /// <param name="holes">Whether it counts where files have holes.</param>
    public static string Of(FileDescriptor directory, bool holes = false)
    {
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["."] = Describe(directory, "", ".", [], holes) };
        Walk(directory, "", lines, [], holes);
        return string.Join('\n', lines.Values);
    }

    static void Walk(FileDescriptor directory, string prefix, SortedDictionary<string, string> lines, Dictionary<ulong, string> inodes, bool holes)
    {
        foreach (var (name, _) in Directories.List(directory).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            string path = prefix + name;
            lines[path] = Describe(directory, name, path, inodes, holes);
            if (Files.Status(directory, name).Kind == FileKind.Directory)
            {
                using var child = Files.Open(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow);
                Walk(child, path + "/", lines, inodes, holes);
            }
        }
    }

    static string Describe(FileDescriptor at, string name, string path, Dictionary<ulong, string> inodes, bool holes)
    {
        var status = Files.Status(at, name);
        var text = new StringBuilder();
        text.Append($"{Printable(path)} {status.Kind} {Convert.ToString(status.Permissions, 8)} {status.Owner}:{status.Group}");
        text.Append($" {status.ModificationTime.Seconds}.{status.ModificationTime.Nanoseconds:d9}");
        switch (status.Kind)
        {
            case FileKind.Regular:
                text.Append($" {status.Size}{(holes ? DataOf(at, name) : "")} {Convert.ToHexString(SHA256.HashData(Files.ReadAll(at, name)))[..16]}");
                break;
            case FileKind.Symlink: text.Append($" -> {Printable(Files.ReadLink(at, name))}"); break;
            case FileKind.CharacterDevice or FileKind.BlockDevice: text.Append($" {status.DeviceNumber.Major}/{status.DeviceNumber.Minor}"); break;
        }

        if (status.Kind != FileKind.Directory && status.Links > 1)
        {
            text.Append($" is {(inodes.TryAdd(status.Inode, path) ? "first" : Printable(inodes[status.Inode]))} of {status.Links}");
        }

        string inDirectory = name.Length == 0 ? "." : name;
        foreach (var attribute in ExtendedAttributes.List(at, inDirectory).Where(one => one != "security.selinux").Order(StringComparer.Ordinal))
        {
            text.Append($" {attribute}={Convert.ToHexString(ExtendedAttributes.Get(at, inDirectory, attribute)!)}");
        }

        return text.ToString();
    }

    static string DataOf(FileDescriptor at, string name)
    {
        using var file = Files.Open(at, name, OpenFlags.ReadOnly);
        var text = new StringBuilder();
        for (var data = Files.NextData(file, 0); data is { } stretch; data = Files.NextData(file, stretch.End))
        {
            text.Append($" {stretch.Start}-{stretch.End}");
        }

        return text.ToString();
    }

    static string Printable(string name) => string.Concat(name.Select(letter => letter is > ' ' and < '\x7f' ? $"{letter}" : $"\\u{(int)letter:x4}"));
}
