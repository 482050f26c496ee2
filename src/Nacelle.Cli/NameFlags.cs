using System.Net;
using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary>The flags that say what a pod's apps shall know of names.</summary>
static class NameFlags
{
    static readonly Option Servers = new("dns", "ADDRESS|host|none", "a name server; or resolv.conf is the host's (host) or the image's (none)");
    static readonly Option Search = new("dns-search", "DOMAIN", "a domain to search names in");
    static readonly Option Options = new("dns-opt", "OPTION", "an option of the resolver, as in ndots:2");
    static readonly Option Domain = new("dns-domain", "DOMAIN", "the pod's own domain");
    static readonly Option Hosts = new("hosts-entry", "ADDRESS=NAME|host", "a line of /etc/hosts; or it begins as the host's (host)");

    public static readonly IReadOnlyList<Option> All = [Servers, Search, Options, Domain, Hosts];

    public static NameResolution Read(Invocation invocation)
    {
        var servers = invocation.Values(Servers).ToList();
        if (servers.Count > 1 && servers.Exists(server => server is "host" or "none"))
        {
            throw new UserException("--dns=host and --dns=none stand alone");
        }

        List<string> lines =
        [
            .. invocation.Values(Domain).TakeLast(1).Select(domain => $"domain {Word(domain, Domain)}"),
            .. invocation.Values(Search).ToList() is { Count: > 0 } domains ? (string[])[$"search {string.Join(' ', domains.Select(domain => Word(domain, Search)))}"] : [],
            .. servers.Where(server => server is not ("host" or "none")).Select(server => $"nameserver {Address(server, $"--dns={server}")}"),
            .. invocation.Values(Options).ToList() is { Count: > 0 } options ? (string[])[$"options {string.Join(' ', options.Select(option => Word(option, Options)))}"] : [],
        ];
        return lines.Count > 0 && servers is ["host" or "none"]
            ? throw new UserException($"--dns={servers[0]} excludes the other flags of resolv.conf")
            : new NameResolution
            {
                Resolver = lines.Count > 0 ? lines : null,
                ResolverOfHost = servers is ["host"],
                ResolverOfImage = servers is ["none"],
                Hosts = [.. invocation.Values(Hosts).Where(entry => entry != "host").Select(HostsLine)],
                HostsOfHost = invocation.Values(Hosts).Contains("host"),
            };
    }

    static string HostsLine(string entry)
    {
        var flag = $"--hosts-entry={entry}";
        int equals = entry.IndexOf('=');
        return equals > 0 ? $"{Address(entry[..equals], flag)}\t{Word(entry[(equals + 1)..], Hosts)}" : throw new UserException($"{flag}: write ADDRESS=NAME or host");
    }

    static string Address(string text, string flag) =>
        IPAddress.TryParse(text, out _) && text.Any(letter => letter is '.' or ':') ? text : throw new UserException($"{flag}: '{text}' is no address");

    static string Word(string text, Option option) => text.Length > 0 && !text.Any(letter => char.IsWhiteSpace(letter) || char.IsControl(letter)) ? text
        : throw new UserException($"--{option.Name}={text}: use a single word");
}
