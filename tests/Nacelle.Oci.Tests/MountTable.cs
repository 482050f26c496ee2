namespace Nacelle.Oci.Tests;

/// <summary>A line of /proc/PID/mountinfo; see proc_pid_mountinfo(5).</summary>
/// <param name="Options">Of the mount itself.</param>
/// <param name="Propagation">"shared:N", "master:N", "unbindable"; none for a private mount.</param>
/// <param name="FileSystemOptions">Of the file system under it.</param>
sealed record MountEntry(string Root, string Point, string[] Options, string[] Propagation, string Type, string Source, string[] FileSystemOptions)
{
    public static IReadOnlyList<MountEntry> Parse(string table) =>
        [.. table.Split('\n').Where(line => line.Contains(" - ", StringComparison.Ordinal)).Select(ParseLine)];

    /// <summary>The mount that one sees there: the last.</summary>
    public static MountEntry At(string table, string point) => Parse(table).LastOrDefault(entry => entry.Point == point)
        ?? throw new Xunit.Sdk.XunitException($"nothing is mounted on {point}:\n{table}");

    static MountEntry ParseLine(string line)
    {
        var words = line.Split(' ');
        int dash = Array.IndexOf(words, "-");
        return new(words[3], words[4], words[5].Split(','), words[6..dash], words[dash + 1], words[dash + 2], words[dash + 3].Split(','));
    }
}
