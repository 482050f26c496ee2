using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>What a person wrote where an image's id may stand: an id or the beginning of one, with its algorithm (<c>sha256:…</c>, as digests are written, or <c>sha256-…</c>, as lists show them) or without.</summary>
/// <param name="Algorithm">Null where it was left out.</param>
/// <param name="Hex">At least one digit.</param>
public sealed record ImageIdText(string Text, string? Algorithm, string Hex)
{
    const int ShortestDigest = 64, LongestDigest = 128;

    /// <summary>Whether it cannot be an image's name as well: it says its algorithm, or is as long as a whole digest.</summary>
    public bool IsCertain => Algorithm is not null || Hex.Length >= ShortestDigest;

    /// <returns>Null when it can only be a name.</returns>
    public static ImageIdText? Parse(string text)
    {
        var algorithm = text.Length > 7 && text[6] is ':' or '-' && text[..6] is "sha256" or "sha512" ? text[..6] : null;
        var hex = algorithm is null ? text : text[7..];
        return hex.Length is > 0 and <= LongestDigest && !hex.AsSpan().ContainsAnyExcept("0123456789abcdef") ? new(text, algorithm, hex) : null;
    }

    public bool Begins(Digest digest) => (Algorithm is null || Algorithm == digest.Algorithm) && digest.Hex.StartsWith(Hex, StringComparison.Ordinal);
}
