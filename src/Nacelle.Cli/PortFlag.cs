using System.Globalization;
using System.Net;
using Nacelle.CommandLine;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>--port</c>: a port of the host that leads into the pod.</summary>
/// <remarks>rkt 1.30: <c>run</c> and <c>prepare</c> name an app's port, <c>app sandbox</c> says what an app that comes later will listen on. Here both take both.</remarks>
static class PortFlag
{
    public static readonly Option Flag = new(
        "port", "NAME:[ADDRESS:]PORT", "forward this port of the host to the port NAME of an app; or NAME:PROTOCOL:POD-PORT:[ADDRESS]:PORT, whatever the images say");

    public static IReadOnlyList<PodPort> Read(Invocation invocation) => [.. invocation.Values(Flag).Select(Parse)];

    static PodPort Parse(string text)
    {
        var parts = Split(text).ToList();
        return parts.Count switch
        {
            2 => new PodPort { Name = Name(parts[0], text), HostPort = Number(parts[1], text) },
            3 => new PodPort { Name = Name(parts[0], text), HostPort = Number(parts[2], text), HostIP = Address(parts[1], text) },
            5 => new PodPort
            {
                Name = Name(parts[0], text),
                HostPort = Number(parts[4], text),
                HostIP = Address(parts[3], text),
                Port = new AppPort
                {
                    Name = Name(parts[0], text),
                    Protocol = parts[1] is "tcp" or "udp" or "sctp" ? parts[1] : throw new UserException($"--port={text}: '{parts[1]}' is not tcp, udp or sctp"),
                    Port = Number(parts[2], text),
                },
            },
            _ => throw new UserException($"--port={text}: write NAME:[ADDRESS:]PORT or NAME:PROTOCOL:POD-PORT:[ADDRESS]:PORT"),
        };
    }

    /// <summary>At colons, but not at those of an address in brackets.</summary>
    static IEnumerable<string> Split(string text)
    {
        int start = 0, depth = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (text[i] == ':' && depth == 0))
            {
                yield return text[start..i];
                start = i + 1;
            }
            else
            {
                depth += text[i] switch { '[' => 1, ']' => -1, _ => 0 };
            }
        }
    }

    static AppName Name(string name, string text) => AppName.Parse(name, $"--port={text}");

    static uint Number(string number, string text) => uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out uint port) && port is > 0 and <= ushort.MaxValue ? port
        : throw new UserException($"--port={text}: '{number}' is not a port from 1 to 65535");

    static string? Address(string address, string text) => address.Length == 0 ? null
        : IPAddress.TryParse(address.Trim('[', ']'), out var parsed) && address.Any(letter => letter is '.' or ':') ? parsed.ToString()
        : throw new UserException($"--port={text}: '{address}' is no address");
}
