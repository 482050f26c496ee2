namespace Nacelle.Build;

/// <summary>One <c>--mount</c> of RUN: what a command sees and no layer gets.</summary>
/// <remarks>The Dockerfile reference, "RUN --mount".</remarks>
sealed record MountFlag
{
    static readonly string[] Known =
        ["type", "target", "dst", "destination", "source", "src", "from", "readonly", "ro", "readwrite", "rw", "id", "sharing", "mode", "uid", "gid", "required", "env", "size"];

    public required string Type { get; init; }

    /// <summary>Absolute; empty for a secret that only becomes a variable.</summary>
    public required string Target { get; init; }

    public string Source { get; init; } = "";

    public string? From { get; init; }

    public bool ReadOnly { get; init; }

    public string Id { get; init; } = "";

    public string Sharing { get; init; } = "shared";

    public uint Mode { get; init; }

    public uint User { get; init; }

    public uint Group { get; init; }

    public bool Required { get; init; }

    /// <summary>The variable that a secret becomes.</summary>
    public string? Variable { get; init; }

    /// <exception cref="BuildException">It says what no mount can be.</exception>
    public static MountFlag Parse(string text, string workingDirectory)
    {
        var values = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var part in text.Split(','))
        {
            int equals = part.IndexOf('=');
            var name = equals < 0 ? part : part[..equals];
            values[Known.Contains(name) ? name : throw Wrong($"there is no '{name}'")] = equals < 0 ? null : part[(equals + 1)..].Trim('"');
        }

        var type = values.GetValueOrDefault("type") ?? "bind";
        var target = First("target", "dst", "destination");
        var id = First("id");
        if (type is not ("bind" or "cache" or "tmpfs" or "secret" or "ssh"))
        {
            throw Wrong($"there is no type '{type}'");
        }

        if (target is null && type is not ("secret" or "ssh"))
        {
            throw Wrong("the target is missing");
        }

        if (type == "secret" && id is null && target is null && First("source", "src") is null)
        {
            throw Wrong("the id is missing");
        }

        id ??= type == "secret" ? Path.GetFileName(First("source", "src") ?? target) : type == "ssh" ? "default" : target;
        target ??= type == "ssh" ? $"/run/nacelle-build/ssh-agent.{id}" : values.ContainsKey("env") ? "" : $"/run/secrets/{id}";
        var sharing = values.GetValueOrDefault("sharing") ?? "shared";
        return new MountFlag
        {
            Type = type,
            Target = target.Length == 0 || target.StartsWith('/') ? target : $"{workingDirectory.TrimEnd('/')}/{target}",
            Source = First("source", "src") ?? "",
            From = values.GetValueOrDefault("from"),
            ReadOnly = Switch("readonly") ?? Switch("ro") ?? !(Switch("readwrite") ?? Switch("rw") ?? type != "bind"),
            Id = id!,
            Sharing = sharing is "shared" or "private" or "locked" ? sharing : throw Wrong($"sharing={sharing}: use shared, private or locked"),
            Mode = Number("mode", 8, type switch { "secret" => 0x100u, "ssh" => 0x180u, _ => 0x1EDu }),
            User = Number("uid", 10, 0),
            Group = Number("gid", 10, 0),
            Required = Switch("required") ?? false,
            Variable = values.GetValueOrDefault("env"),
        };

        string? First(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                if (values.GetValueOrDefault(name) is { Length: > 0 } value)
                {
                    return value;
                }
            }

            return null;
        }

        bool? Switch(string name) => !values.TryGetValue(name, out var value) ? null : value switch
        {
            null or "true" or "1" => true,
            "false" or "0" => false,
            _ => throw Wrong($"{name} is true or false, not '{value}'"),
        };

        uint Number(string name, int numberBase, uint otherwise)
        {
            if (values.GetValueOrDefault(name) is not { } value)
            {
                return otherwise;
            }

            try
            {
                return Convert.ToUInt32(value, numberBase);
            }
            catch (Exception problem) when (problem is FormatException or OverflowException or ArgumentException)
            {
                throw Wrong($"{name}={value} is no number");
            }
        }

        BuildException Wrong(string what) => new($"--mount={text}: {what}");
    }

    /// <summary>What the step's result depends on. What a secret holds and what a cache holds is not part of it.</summary>
    public IEnumerable<string> KeyParts() =>
        [Type, Target, Source, From ?? "", ReadOnly ? "ro" : "rw", Id, $"{Mode} {User} {Group}", Variable ?? ""];
}
