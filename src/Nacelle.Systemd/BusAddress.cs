using System.Globalization;
using System.Text;

namespace Nacelle.Systemd;

/// <summary>Where a bus listens. See the D-Bus specification, "Server Addresses".</summary>
static class BusAddress
{
    /// <summary>The local sockets of a list of addresses: paths, or abstract names with a leading '@'. Other transports are passed over.</summary>
    public static IEnumerable<string> Parse(string addresses)
    {
        foreach (var address in addresses.Split(';'))
        {
            if (!address.StartsWith("unix:", StringComparison.Ordinal))
            {
                continue;
            }

            foreach (var pair in address["unix:".Length..].Split(','))
            {
                if (pair.StartsWith("path=/", StringComparison.Ordinal))
                {
                    yield return Unescape(pair["path=".Length..]);
                }
                else if (pair.StartsWith("abstract=", StringComparison.Ordinal) && pair.Length > "abstract=".Length)
                {
                    yield return "@" + Unescape(pair["abstract=".Length..]);
                }
            }
        }
    }

    /// <summary>Bytes may be written as %XX.</summary>
    static string Unescape(string text)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out byte escaped))
            {
                bytes.Add(escaped);
                i += 2;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text, i, 1));
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
