using System.Diagnostics.CodeAnalysis;

namespace Nacelle.Specs;

/// <summary>Names content by its hash: <c>sha256:</c> or <c>sha512:</c> and lower-case hexadecimal digits.</summary>
/// <remarks>OCI image specification 1.1, descriptor.md, "Digests". Other algorithms are refused: none is registered that we could check.</remarks>
public readonly record struct Digest
{
    const string Sha256Name = "sha256", Sha512Name = "sha512";

    readonly string? text;
    readonly string? algorithm;

    Digest(string algorithm, string text)
    {
        this.algorithm = algorithm;
        this.text = text;
    }

    /// <summary><c>sha256</c> or <c>sha512</c>.</summary>
    public string Algorithm => algorithm ?? Sha256Name;

    /// <summary>64 or 128 lower-case hexadecimal digits.</summary>
    public string Hex => text is null ? "" : text[(Algorithm.Length + 1)..];

    /// <summary>The name as one path component: <c>sha256-…</c>.</summary>
    public string FileName => $"{Algorithm}-{Hex}";

    public static Digest Sha256(ReadOnlySpan<byte> hash) => FromHash(Sha256Name, 32, hash);

    public static Digest Sha512(ReadOnlySpan<byte> hash) => FromHash(Sha512Name, 64, hash);

    /// <exception cref="FormatException">Not <c>algorithm:hex</c> of a known algorithm.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out var digest) ? digest : throw new FormatException($"'{text}' is not a digest: sha256: and 64, or sha512: and 128 of 0-9a-f");

    /// <exception cref="SpecException">As <see cref="Parse(string)"/>, naming the JSON path.</exception>
    public static Digest Parse(string? text, string path) =>
        TryParse(text, out var digest) ? digest
            : throw new SpecException(path, $"'{text}' is not a digest: sha256: and 64, or sha512: and 128 of 0-9a-f");

    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        var (name, length) = text switch
        {
            not null when text.StartsWith("sha256:", StringComparison.Ordinal) => (Sha256Name, 64),
            not null when text.StartsWith("sha512:", StringComparison.Ordinal) => (Sha512Name, 128),
            _ => ("", -1),
        };
        bool valid = length > 0 && text?.Length == name.Length + 1 + length && !text.AsSpan(name.Length + 1).ContainsAnyExcept("0123456789abcdef");
        digest = valid ? new Digest(name, text!) : default;
        return valid;
    }

    public bool Equals(Digest other) => text == other.text;

    public override int GetHashCode() => string.GetHashCode(text, StringComparison.Ordinal);

    public override string ToString() => text ?? "";

    static Digest FromHash(string algorithm, int length, ReadOnlySpan<byte> hash) =>
        hash.Length == length ? new Digest(algorithm, $"{algorithm}:{Convert.ToHexStringLower(hash)}")
            : throw new ArgumentException($"a {algorithm} hash has {length} bytes, not {hash.Length}");
}
