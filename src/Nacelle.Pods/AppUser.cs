using System.Text;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Who an app runs as, in numbers, with the home directory where the image tells it.</summary>
public sealed record AppUser(uint Uid, uint Gid, IReadOnlyList<uint> Groups, string Home)
{
    /// <summary>Finds user and group as the image has them.</summary>
    /// <param name="group">Empty for the user's own.</param>
    /// <param name="files">The image; read only where a name, or a group that was not given, makes it necessary.</param>
    /// <remarks>
    /// appc 0.8.11, spec/aci.md, "user, group": a number, a name of the image's /etc/passwd and /etc/group, or a path, whose owner is meant.
    /// OCI image specification 1.1, config.md, "User": without a group, the user's entry says it.
    /// </remarks>
    public static AppUser Find(string user, string group, IReadOnlyList<uint> supplementary, LayeredFiles files)
    {
        var found = user is "0" or "root" && group is "0" or "root" or "" ? new AppUser(0, 0, supplementary, "/root") : FindInImage(user, group, supplementary, files);

        // Who asks the kernel to become this one stays who he is (setresuid(2)): root.
        return found.Groups.Append(found.Uid).Append(found.Gid).Contains(uint.MaxValue) ? throw new PodException($"no user and no group has the number {uint.MaxValue}") : found;
    }

    static AppUser FindInImage(string user, string group, IReadOnlyList<uint> supplementary, LayeredFiles files)
    {
        var passwd = Entries(files, "/etc/passwd", 7);
        var entry = passwd.FirstOrDefault(line => line[0] == user) ?? (uint.TryParse(user, out _) ? passwd.FirstOrDefault(line => line[2] == user) : null);
        uint uid = entry is not null && uint.TryParse(entry[2], out uint listed) ? listed
            : uint.TryParse(user, out uint number) ? number
            : user.StartsWith('/') ? OwnerOf(files, user).Owner
            : user == "root" ? 0u
            : throw new PodException($"the image has no user '{user}' in /etc/passwd");
        bool ownGroup = group.Length == 0;
        uint gid = ownGroup ? entry is not null && uint.TryParse(entry[3], out uint primary) ? primary : 0u : FindGroup(group, files);
        var groups = supplementary.ToList();
        if (entry is not null)
        {
            // As login does: every group that lists the user by name.
            groups.AddRange(Entries(files, "/etc/group", 4)
                .Where(line => line[3].Split(',').Contains(entry[0], StringComparer.Ordinal) && uint.TryParse(line[2], out _))
                .Select(line => uint.Parse(line[2]))
                .Where(id => !supplementary.Contains(id)));
        }

        return new AppUser(uid, gid, groups, entry?[5] is { Length: > 0 } home ? home : "/");
    }

    static uint FindGroup(string group, LayeredFiles files)
    {
        if (uint.TryParse(group, out uint number))
        {
            return number;
        }

        if (group.StartsWith('/'))
        {
            return OwnerOf(files, group).Group;
        }

        var entry = Entries(files, "/etc/group", 3).FirstOrDefault(line => line[0] == group);
        return entry is not null && uint.TryParse(entry[2], out uint gid) ? gid
            : group == "root" ? 0u
            : throw new PodException($"the image has no group '{group}' in /etc/group");
    }

    static Nacelle.Linux.FileStatus OwnerOf(LayeredFiles files, string path) =>
        files.TryStatus(path) ?? throw new PodException($"the image has no {path} to tell a user or group by its owner");

    static List<string[]> Entries(LayeredFiles files, string path, int fields) =>
        [.. Encoding.UTF8.GetString(files.TryRead(path) ?? []).Split('\n').Select(line => line.Split(':')).Where(line => line.Length >= fields)];
}
