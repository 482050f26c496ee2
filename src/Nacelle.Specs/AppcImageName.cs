using System.Text;

namespace Nacelle.Specs;

/// <summary>An appc image by name and labels: <c>example.com/redis:3.0,os=linux,arch=amd64</c>.</summary>
/// <remarks>appc 0.8.11, spec/discovery.md. Labels stand in order of their names, the version first and behind a colon.</remarks>
public sealed record AppcImageName : ImageName
{
    AppcImageName(string name, IReadOnlyList<Annotation> labels) => (Name, Labels) = (name, labels);

    /// <summary>An AC identifier.</summary>
    public string Name { get; }

    public IReadOnlyList<Annotation> Labels { get; }

    public string? Label(string name) => Labels.FirstOrDefault(label => label.Name == name)?.Value;

    public static AppcImageName Of(string name, IEnumerable<Annotation> labels) => new(name, [.. labels.OrderBy(label => label.Name != "version").ThenBy(label => label.Name, StringComparer.Ordinal)]);

    /// <summary>The same with further labels, where it does not have them.</summary>
    public AppcImageName WithDefaults(params IEnumerable<Annotation> labels) => Of(Name, [.. Labels, .. labels.Where(label => Label(label.Name) is null)]);

    /// <summary>Whether an image has the name and at least the labels.</summary>
    public bool Matches(string name, IReadOnlyList<Annotation> labels) => name == Name && Labels.All(wanted => labels.Contains(wanted));

    /// <summary>Whether a word could be an appc name that discovery can find: it begins with a host.</summary>
    public static bool LooksLikeOne(string text)
    {
        var host = text.Split('/', ':', ',')[0];
        return (host.Contains('.') && !host.StartsWith('.')) || host == "localhost";
    }

    /// <exception cref="SpecException">Not of that form; says why.</exception>
    public static new AppcImageName Parse(string text)
    {
        var parts = text.Split(',');
        int colon = parts[0].IndexOf(':');
        var name = colon < 0 ? parts[0] : parts[0][..colon];
        var labels = new List<Annotation>();
        if (colon >= 0)
        {
            labels.Add(new Annotation("version", Unescape(parts[0][(colon + 1)..], text)));
        }

        foreach (var part in parts.AsSpan(1))
        {
            int equals = part.IndexOf('=');
            labels.Add(equals > 0 ? new Annotation(part[..equals], Unescape(part[(equals + 1)..], text)) : throw new SpecException("", $"'{text}': '{part}' is not a label: write name=value"));
        }

        if (!AcIdentifier.IsValid(name))
        {
            throw new SpecException("", $"'{text}' is not an image's name: {AcIdentifier.Rule(name)}");
        }

        foreach (var label in labels)
        {
            if (!AcIdentifier.IsValid(label.Name) || label.Value.Length == 0 || labels.Count(other => other.Name == label.Name) > 1)
            {
                throw new SpecException("", $"'{text}': label '{label.Name}' {(AcIdentifier.IsValid(label.Name) ? label.Value.Length == 0 ? "has no value" : "stands twice" : "has no valid name")}");
            }
        }

        return Of(name, labels);
    }

    public bool Equals(AppcImageName? other) => other is not null && other.ToString() == ToString();

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    public override string ToString()
    {
        var text = new StringBuilder(Name);
        foreach (var (name, value) in Labels)
        {
            text.Append(name == "version" ? ":" : $",{name}=").Append(Uri.EscapeDataString(value).Replace("%2B", "+", StringComparison.Ordinal).Replace("%2F", "/", StringComparison.Ordinal));
        }

        return text.ToString();
    }

    static string Unescape(string value, string text)
    {
        var plain = Uri.UnescapeDataString(value);
        return plain.Any(char.IsControl) ? throw new SpecException("", $"'{text}' has control characters in a label") : plain;
    }
}

/// <summary>An appc image by the address of its file.</summary>
public sealed record ImageUrl(Uri Address) : ImageName
{
    /// <returns>Null when the text is no address of http or https.</returns>
    /// <exception cref="SpecException">It begins like one, but is malformed, or carries a password.</exception>
    public static ImageUrl? TryParse(string text) =>
        !text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) && !text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? null
            : !Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Host.Length == 0 ? throw new SpecException("", $"'{text}' is not a URL")
            : address.UserInfo.Length > 0 ? throw new SpecException("", $"'{address.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)}': a URL must not hold a password: put it into a file in auth.d")
            : new ImageUrl(address);

    public override string ToString() => Address.AbsoluteUri;
}
