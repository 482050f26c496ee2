using System.Runtime.InteropServices;
using System.Text.Json.Serialization;

namespace Nacelle.Specs;

/// <summary>What an image runs on, in Go's names: <c>linux/amd64</c>, <c>linux/arm/v7</c>.</summary>
/// <remarks>OCI image specification 1.1, image-index.md, "platform".</remarks>
public sealed record Platform
{
    [JsonPropertyName("os")]
    public string Os { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("architecture")]
    public string Architecture { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    /// <summary>This machine's.</summary>
    public static Platform Current { get; } = new()
    {
        Os = "linux",
        Architecture = RuntimeInformation.OSArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => "amd64",
            System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
            var other => other.ToString().ToLowerInvariant(),
        },
    };

    /// <summary>Reads <c>os/architecture</c> or <c>os/architecture/variant</c>; uname's names of architectures are understood too.</summary>
    /// <exception cref="SpecException">Not of that form.</exception>
    public static Platform Parse(string text)
    {
        var parts = text.Split('/');
        return parts.Length is 2 or 3 && !parts.Contains("")
            ? new Platform { Os = parts[0].ToLowerInvariant(), Architecture = parts[1].ToLowerInvariant(), Variant = parts.Length == 3 ? parts[2] : null }.Normalized()
            : throw new SpecException("", $"'{text}' is not a platform: write os/architecture or os/architecture/variant, as in linux/arm64");
    }

    /// <summary>How well an image for <paramref name="offered"/> serves one who wants this platform.</summary>
    /// <returns>0 for the very same; more for an older variant of the same architecture; null when it does not run.</returns>
    public int? Distance(Platform offered)
    {
        var (wanted, other) = (Normalized(), offered.Normalized());
        if (wanted.Os != other.Os || wanted.Architecture != other.Architecture)
        {
            return null;
        }

        int distance = wanted.Level - other.Level;
        return wanted.Variant == other.Variant ? 0 : wanted.Level > 0 && other.Level > 0 && distance >= 0 ? distance : null;
    }

    /// <summary>The architecture in appc's names: <c>aarch64</c>, <c>i386</c>, <c>armv7l</c>.</summary>
    /// <remarks>appc 0.8.11, spec/aci.md, "arch".</remarks>
    public string AppcArchitecture => (Architecture, Variant) switch
    {
        ("386", _) => "i386",
        ("arm64", _) => "aarch64",
        ("arm", "v6") => "armv6l",
        ("arm", _) => "armv7l",
        var (same, _) => same,
    };

    public override string ToString() => string.IsNullOrEmpty(Variant) ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";

    /// <summary>Variants count up and run what was made for lower ones; where none is named, the architecture's first is meant.</summary>
    int Level => Variant is ['v', >= '1' and <= '9' and var level] ? level - '0'
        : !string.IsNullOrEmpty(Variant) ? 0
        : Architecture switch { "amd64" => 1, "arm64" => 8, "arm" => 7, _ => 0 };

    Platform Normalized()
    {
        var (architecture, variant) = (Architecture, string.IsNullOrEmpty(Variant) ? null : Variant) switch
        {
            ("x86_64" or "x86-64", var given) => ("amd64", given),
            ("aarch64", var given) => ("arm64", given),
            ("armhf", null) => ("arm", "v7"),
            ("armel", null) => ("arm", "v6"),
            ("i386" or "i686", _) => ("386", null),
            var same => same,
        };
        variant = (architecture, variant) switch
        {
            ("amd64", "v1") or ("arm64", "v8") or ("arm64", "8") or ("arm", "v7") or ("arm", "7") => null,
            ("arm", "5" or "6" or "8") => "v" + variant,
            _ => variant,
        };
        return this with { Architecture = architecture, Variant = variant };
    }
}
