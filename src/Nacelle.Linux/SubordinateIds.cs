namespace Nacelle.Linux;

/// <summary>The ranges of users, or of groups, that somebody who is not root may map into user namespaces. See subuid(5), subgid(5).</summary>
public static class SubordinateIds
{
    /// <summary>The map of a user namespace in which its maker is root, and all the ranges of his follow from 1 up.</summary>
    /// <param name="user">Whose ranges; they are found by this number, or by the names that /etc/passwd has for it.</param>
    /// <param name="own">The maker's own user or group.</param>
    /// <param name="file">/etc/subuid or /etc/subgid.</param>
    /// <returns>Null where there are no ranges.</returns>
    public static IReadOnlyList<IdRange>? TryMap(uint user, uint own, string file)
    {
        var names = Lines("/etc/passwd", 4).Where(fields => fields[2] == $"{user}").Select(fields => fields[0]).Append($"{user}").ToHashSet(StringComparer.Ordinal);
        var map = new List<IdRange> { new(0, own, 1) };
        uint next = 1;
        foreach (var fields in Lines(file, 3).Where(fields => names.Contains(fields[0])))
        {
            if (uint.TryParse(fields[1], out uint first) && uint.TryParse(fields[2], out uint count) && count > 0)
            {
                map.Add(new IdRange(next, first, count));
                next += count;
            }
        }

        return map.Count > 1 ? map : null;
    }

    static IEnumerable<string[]> Lines(string file, int fields) =>
        (Files.TryReadText(FileDescriptor.WorkingDirectory, file) ?? "").Split('\n').Select(line => line.Split(':')).Where(line => line.Length >= fields);
}
