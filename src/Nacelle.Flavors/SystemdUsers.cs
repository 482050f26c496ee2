using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>Users and groups that systemd is to start apps as: it takes numbers only of those that its own root file system knows.</summary>
static class SystemdUsers
{
    const string Passwd = "stage1/rootfs/etc/passwd", Group = "stage1/rootfs/etc/group";

    public static void Write(IEnumerable<RuntimeConfig> apps)
    {
        var users = apps.Select(app => app.Process!.User).ToList();
        Append(Passwd, users.Select(user => (user.Uid, $"gen{user.Uid}:x:{user.Uid}:{user.Gid}::/:/bin/sh")));
        Append(Group, users.SelectMany(user => user.AdditionalGids.Append(user.Gid)).Select(gid => (gid, $"gen{gid}:x:{gid}:")));
    }

    static void Append(string file, IEnumerable<(uint Id, string Line)> entries)
    {
        var text = new StringBuilder(Files.TryReadText(FileDescriptor.WorkingDirectory, file));
        var known = text.ToString().Split('\n').Select(line => line.Split(':')).Where(fields => fields.Length > 2).Select(fields => fields[2]).ToHashSet(StringComparer.Ordinal);
        foreach (var (id, line) in entries)
        {
            if (known.Add($"{id}"))
            {
                text.Append(line).Append('\n');
            }
        }

        Files.WriteAll(FileDescriptor.WorkingDirectory, file, text.ToString());
    }
}
