namespace Nacelle.Specs;

/// <summary>One file of the configuration; what it may say depends on its kind.</summary>
/// <remarks>rkt 1.30, Documentation/configuration.md. All kinds have the version v1.</remarks>
public abstract record ConfigFile
{
    const string OnlyVersion = "v1";

    ConfigFile()
    {
    }

    /// <summary>How to identify oneself to hosts from which appc images, signatures and keys come.</summary>
    /// <param name="Domains">Hosts, with the port where it is not the usual one.</param>
    public sealed record Auth(IReadOnlyList<string> Domains, HostCredential Credential) : ConfigFile;

    /// <summary>The same for registries.</summary>
    public sealed record DockerAuth(IReadOnlyList<string> Registries, HostCredential.Basic Credential) : ConfigFile;

    /// <summary>Where things lie on this machine.</summary>
    /// <param name="Data">Images and pods; absolute.</param>
    /// <param name="Stage1Images">Images of stage1; absolute.</param>
    public sealed record Paths(string? Data, string? Stage1Images) : ConfigFile;

    /// <summary>The stage1 that pods get when nothing else is asked for: name and version go together, and either they or the location may be missing.</summary>
    /// <param name="Location">A path or a URL.</param>
    public sealed record Stage1(string? Name, string? Version, string? Location) : ConfigFile;

    public string Kind => this switch { Auth => "auth", DockerAuth => "dockerAuth", Paths => "paths", _ => "stage1" };

    /// <param name="source">The file's path, for messages.</param>
    /// <param name="kinds">Those that belong where the file lies.</param>
    /// <exception cref="SpecException">Not JSON, of another kind or version, or against the kind's rules; names the file.</exception>
    public static ConfigFile Parse(ReadOnlySpan<byte> json, string source, params IReadOnlyList<string> kinds) => SpecNode.Parse<ConfigFile>(json, source, node =>
    {
        var kind = Filled(node, "rktKind");
        var version = Filled(node, "rktVersion");
        return !kinds.Contains(kind) ? throw new SpecException("rktKind", $"'{kind}' does not belong into this directory; here it is {string.Join(" or ", kinds)}")
            : version != OnlyVersion ? throw new SpecException("rktVersion", $"'{version}' of {kind} is not known; it must be {OnlyVersion}")
            : kind switch
            {
                "auth" => new Auth(Hosts(node, "domains"), HostCredential.Read(node.Need("credentials"), Filled(node, "type"), "type")),
                "dockerAuth" => new DockerAuth(Hosts(node, "registries"), HostCredential.ReadBasic(node.Need("credentials"))),
                "paths" => new Paths(AbsolutePath(node, "data"), AbsolutePath(node, "stage1-images")),
                "stage1" => ReadStage1(node),
                _ => throw new SpecException("rktKind", $"'{kind}' is not known"),
            };
    });

    public void Write(SpecWriter json)
    {
        json.Text("rktVersion", OnlyVersion);
        json.Text("rktKind", Kind);
        switch (this)
        {
            case Auth auth:
                json.Texts("domains", auth.Domains);
                json.Text("type", auth.Credential.Type);
                json.Group("credentials", auth.Credential.Write);
                break;
            case DockerAuth auth:
                json.Texts("registries", auth.Registries);
                json.Group("credentials", auth.Credential.Write);
                break;
            case Paths paths:
                json.Text("data", paths.Data);
                json.Text("stage1-images", paths.Stage1Images);
                break;
            case Stage1 stage1:
                json.Text("name", stage1.Name);
                json.Text("version", stage1.Version);
                json.Text("location", stage1.Location);
                break;
        }
    }

    static Stage1 ReadStage1(SpecNode node)
    {
        var (name, version, location) = (node.FindFilled("name"), node.FindFilled("version"), node.FindFilled("location"));
        if ((name is null) != (version is null))
        {
            throw new SpecException(name is null ? "name" : "version", "is missing: name and version of a stage1 go together");
        }

        bool isPlace = location is null or ['/', ..] || (Uri.TryCreate(location, UriKind.Absolute, out var url) && url.Scheme is "file" or "docker" or "http" or "https");
        return isPlace ? new Stage1(name, version, location)
            : throw new SpecException("location", $"'{location}' is neither an absolute path nor a URL that begins with file, docker, http or https");
    }

    static string[] Hosts(SpecNode node, string name)
    {
        var hosts = node.List(name, one => one.Text() is { Length: > 0 } text && !text.AsSpan().ContainsAny("/@ ") ? text
            : throw new SpecException(one.Path, $"'{one.Text()}' is not a host, alone or with its port"));
        return hosts.Count > 0 ? [.. hosts] : throw new SpecException(name, "is missing or empty");
    }

    static string Filled(SpecNode node, string name) => node.FindFilled(name) ?? throw new SpecException(name, "is missing or empty");

    static string? AbsolutePath(SpecNode node, string name) => node.FindFilled(name) is not { } path ? null
        : path.StartsWith('/') && !path.Contains('\0') ? path
        : throw new SpecException(name, $"'{path}' is not an absolute path");
}
