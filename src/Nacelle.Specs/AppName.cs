using System.Text;

namespace Nacelle.Specs;

/// <summary>Names an app, a volume, a port: lower-case letters and digits with single dashes between them, at most 512 characters.</summary>
/// <remarks>appc 0.8.11, spec/types.md, "AC Name".</remarks>
public readonly record struct AppName
{
    const int MaximumLength = 512;

    readonly string text;

    AppName(string text) => this.text = text;

    /// <exception cref="SpecException">Not such a name.</exception>
    public static AppName Parse(string text, string path) =>
        IsValid(text) ? new(text) : throw new SpecException(path, $"'{text}' is not a valid name: use a-z, 0-9 and '-' between them");

    /// <summary>Makes a name of any text: what is not allowed becomes a dash, as rkt derives an app's name from its image's.</summary>
    /// <exception cref="SpecException">Nothing of it is left.</exception>
    public static AppName From(string text)
    {
        var name = new StringBuilder();
        foreach (char c in text.ToLowerInvariant())
        {
            if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
            {
                name.Append(c);
            }
            else if (name.Length > 0 && name[^1] != '-')
            {
                name.Append('-');
            }
        }

        return Parse(name.ToString().TrimEnd('-') is { Length: <= MaximumLength } whole ? whole : name.ToString(0, MaximumLength).TrimEnd('-'), "");
    }

    public static bool IsValid(string text)
    {
        if (text.Length is 0 or > MaximumLength || text[0] == '-' || text[^1] == '-')
        {
            return false;
        }

        foreach (char c in text)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
            {
                return false;
            }
        }

        return !text.Contains("--", StringComparison.Ordinal);
    }

    public override string ToString() => text ?? "";
}
