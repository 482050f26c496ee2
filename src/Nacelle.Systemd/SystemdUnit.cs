using System.Text;

namespace Nacelle.Systemd;

/// <summary>The unit of a container, and the slice that it lies in.</summary>
/// <param name="Slice">As in <c>system.slice</c>.</param>
/// <param name="Name">As in <c>nacelle-1.scope</c>.</param>
public readonly record struct SystemdUnit(string Slice, string Name)
{
    public bool IsSlice => Name.EndsWith(".slice", StringComparison.Ordinal);

    /// <summary>Reads <c>linux.cgroupsPath</c> of an OCI configuration where systemd makes the groups: <c>slice:prefix:name</c>, as runc and crun have it.</summary>
    /// <param name="cgroupsPath">Null or empty for a scope of the container's name in the usual slice.</param>
    /// <exception cref="ArgumentException">It has another form.</exception>
    public static SystemdUnit Parse(string? cgroupsPath, string container, SystemdInstance instance)
    {
        string usual = instance == SystemdInstance.User ? "user.slice" : "system.slice";
        if (string.IsNullOrEmpty(cgroupsPath))
        {
            return new(usual, $"nacelle-{container}.scope");
        }

        if (cgroupsPath.Split(':') is not [var slice, var prefix, { Length: > 0 } name] || cgroupsPath.Contains('/')
            || (slice.Length > 0 && !slice.EndsWith(".slice", StringComparison.Ordinal)))
        {
            throw new ArgumentException($"'{cgroupsPath}' does not name a group of systemd: it has the form slice:prefix:name, as in system.slice:nacelle:1");
        }

        return new(
            slice.Length > 0 ? slice : usual,
            name.EndsWith(".slice", StringComparison.Ordinal) ? name : prefix.Length > 0 ? $"{prefix}-{name}.scope" : $"{name}.scope");
    }

    /// <summary>The D-Bus object of a unit: all but letters and digits is escaped. See sd_bus_path_encode(3).</summary>
    internal static string ObjectPath(string unit)
    {
        var path = new StringBuilder("/org/freedesktop/systemd1/unit/");
        foreach (byte one in Encoding.UTF8.GetBytes(unit))
        {
            bool plain = char.IsAsciiLetter((char)one) || (char.IsAsciiDigit((char)one) && path[^1] != '/');
            path.Append(plain ? $"{(char)one}" : $"_{one:x2}");
        }

        return path.ToString();
    }
}
