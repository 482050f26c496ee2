using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>Which images are accepted from where, as podman and skopeo are told it too.</summary>
/// <remarks>containers-policy.json(5).</remarks>
public sealed class TrustPolicy
{
    /// <summary>Where podman and skopeo have the machine's policy.</summary>
    public const string SystemPath = "/etc/containers/policy.json";

    const string FileName = "/policy.json";

    static readonly string[] TransportsOfPaths = ["oci", "oci-archive", "dir", "sif"], TransportsWithoutScopes = ["docker-archive", "tarball"];

    readonly IReadOnlyList<PolicyRequirement> byDefault;
    readonly Dictionary<string, Dictionary<string, IReadOnlyList<PolicyRequirement>>> transports;

    TrustPolicy(string source, IReadOnlyList<PolicyRequirement> byDefault, Dictionary<string, Dictionary<string, IReadOnlyList<PolicyRequirement>>> transports)
    {
        Source = source;
        this.byDefault = byDefault;
        this.transports = transports;
    }

    /// <summary>The file that it was read from, for messages.</summary>
    public string Source { get; }

    /// <summary>The first policy file that there is; null without any.</summary>
    /// <param name="ours">Directories of this project's configuration, the weakest first: the distribution's, then stronger ones.</param>
    /// <exception cref="SpecException">It is not a policy.</exception>
    public static TrustPolicy? Find(IReadOnlyList<string> ours)
    {
        foreach (string path in Paths(ours))
        {
            if (Files.TryReadText(FileDescriptor.WorkingDirectory, path) is { } text)
            {
                return Parse(System.Text.Encoding.UTF8.GetBytes(text), path);
            }
        }

        return null;
    }

    /// <summary>Where a policy may lie: what was written for this project by user or machine, what podman and skopeo read, and last what the distribution has put here.</summary>
    static IEnumerable<string> Paths(IReadOnlyList<string> ours) =>
    [
        .. ours.Skip(1).Reverse().Select(directory => directory + FileName),
        .. Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? (string[])[$"{home}/.config/containers/policy.json"] : [],
        SystemPath,
        .. ours.Take(1).Select(directory => directory + FileName),
    ];

    /// <exception cref="SpecException">Not a policy, or one with something that is not known.</exception>
    public static TrustPolicy Parse(ReadOnlySpan<byte> json, string source) => SpecNode.Parse(json, source, root =>
    {
        PolicyText.RequireOnly(root, "default", "transports");
        root.Need("default");
        var transports = new Dictionary<string, Dictionary<string, IReadOnlyList<PolicyRequirement>>>(StringComparer.Ordinal);
        if (root.Find("transports") is { } all)
        {
            foreach (string transport in all.Names())
            {
                var scopes = all.Need(transport);
                transports[transport] = scopes.Names().ToDictionary(scope => CheckScope(transport, scope, scopes.Path), scope => Requirements(scopes, scope), StringComparer.Ordinal);
            }
        }

        return new TrustPolicy(source, Requirements(root, "default"), transports);
    });

    /// <summary>What is required of an image: what is said of its name most precisely, and nothing else.</summary>
    public IReadOnlyList<PolicyRequirement> For(PolicySubject subject)
    {
        if (transports.TryGetValue(subject.Transport, out var scopes))
        {
            foreach (string scope in subject.Scopes)
            {
                if (scopes.TryGetValue(scope, out var requirements))
                {
                    return requirements;
                }
            }
        }

        return byDefault;
    }

    static IReadOnlyList<PolicyRequirement> Requirements(SpecNode parent, string name)
    {
        var requirements = parent.List(name, PolicyRequirement.Parse);
        return requirements.Count > 0 ? requirements : throw new SpecException(parent.Path.Length == 0 ? name : $"{parent.Path}.{name}", "must have at least one requirement");
    }

    static string CheckScope(string transport, string scope, string path)
    {
        string? fault = scope.Length == 0 ? null
            : TransportsWithoutScopes.Contains(transport) ? "this transport has no scopes but \"\""
            : !TransportsOfPaths.Contains(transport) ? null
            : scope == "/" ? "write \"\" for all paths"
            : !scope.StartsWith('/') || scope.EndsWith('/') || System.IO.Path.GetFullPath(scope) != scope ? "must be an absolute path without '.', '..' or doubled '/'" : null;
        return fault is null ? scope : throw new SpecException($"{path}.{scope}", fault);
    }
}
