using System.Globalization;

namespace Nacelle.Systemd;

/// <summary>Reads the annotation <c>org.systemd.property.NAME</c>, as runc and crun take it: a unit's property with its value in GVariant's text form.</summary>
static class SystemdAnnotation
{
    /// <exception cref="ArgumentException">The name or the value is none.</exception>
    public static SystemdProperty Parse(string name, string text)
    {
        if (name.Length < 3 || !name.All(char.IsAsciiLetter))
        {
            throw new ArgumentException($"org.systemd.property.{name}: '{name}' is not the name of a property: use letters alone");
        }

        var value = new GVariantText(text).Read();

        // Unit files say TimeoutStopSec=5; over D-Bus the name is TimeoutStopUSec, in microseconds.
        const string Seconds = "Sec", Microseconds = "USec";
        if (!name.EndsWith(Seconds, StringComparison.Ordinal) || name.EndsWith(Microseconds, StringComparison.Ordinal))
        {
            return new(name, value);
        }

        double seconds = value.Signature switch
        {
            "d" => value.AsDouble,
            "n" or "i" or "x" => (long)value.AsNumber,
            "y" or "q" or "u" or "t" => value.AsNumber,
            _ => throw new ArgumentException($"org.systemd.property.{name}: {text} is not a number of seconds"),
        };
        return seconds >= 0 && seconds < ulong.MaxValue / 2_000_000
            ? new(name[..^Seconds.Length] + Microseconds, BusValue.UInt64((ulong)(seconds * 1_000_000)))
            : throw new ArgumentException($"org.systemd.property.{name}: {text.ToString(CultureInfo.InvariantCulture)} is not a number of seconds");
    }
}
