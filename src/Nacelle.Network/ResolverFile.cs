using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>A file as resolv.conf(5) describes it.</summary>
static class ResolverFile
{
    /// <exception cref="NetworkException">It cannot be read.</exception>
    public static NetworkDns Read(string path)
    {
        var dns = new NetworkDns();
        foreach (var line in Encoding.UTF8.GetString(Files.ReadAll(FileDescriptor.WorkingDirectory, path)).Split('\n'))
        {
            var fields = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length >= 2)
            {
                dns = fields[0] switch
                {
                    "nameserver" => dns with { Nameservers = [.. dns.Nameservers, fields[1]] },
                    "domain" => dns with { Domain = fields[1] },
                    "search" => dns with { Search = [.. dns.Search, .. fields[1..]] },
                    "options" => dns with { Options = [.. dns.Options, .. fields[1..]] },
                    _ => dns,
                };
            }
        }

        return dns;
    }
}
