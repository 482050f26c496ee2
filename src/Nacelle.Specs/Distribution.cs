namespace Nacelle.Specs;

/// <summary>Names of images as rkt wrote them down: <c>cimd:TYPE:v=0:…</c>, which say how an image is distributed, and mean what the usual spelling means.</summary>
/// <remarks>rkt 1.30, Documentation/devel/distribution-point.md: the types appc, docker and aci-archive, all of version 0.</remarks>
public static class Distribution
{
    const string Scheme = "cimd:";

    public static bool IsOne(string text) => text.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>The usual spelling; what is no such name stays as it is.</summary>
    /// <exception cref="SpecException">It is malformed, or of another type or version.</exception>
    public static string Usual(string text) => !IsOne(text) ? text : text.Split(':', 4) is [_, var type, var version, { Length: > 0 } rest]
        ? version != "v=0" ? throw new SpecException("", $"'{text}' is of another version: only v=0 is known")
            : type switch
            {
                "appc" => Appc(rest, text),
                "docker" => "docker://" + (rest.StartsWith("registry-1.docker.io/", StringComparison.Ordinal) ? rest["registry-1.".Length..] : rest),
                "aci-archive" => Uri.UnescapeDataString(rest.Split('?')[0]),
                _ => throw new SpecException("", $"'{text}': images are not distributed as '{type}', but as appc, docker or aci-archive"),
            }
        : throw new SpecException("", $"'{text}' is not of the form cimd:TYPE:v=0:NAME");

    static string Appc(string name, string text)
    {
        int question = name.IndexOf('?');
        var labels = question < 0 ? [] : name[(question + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2) is [var label, var value]
            ? new Annotation(label, Uri.UnescapeDataString(value.Replace('+', ' '))) : throw new SpecException("", $"'{text}': '{pair}' is not a label: write name=value"));
        return AppcImageName.Of(question < 0 ? name : name[..question], labels).ToString();
    }
}
