using System.Globalization;

namespace Nacelle.Specs;

/// <summary>Amounts as Kubernetes and appc write them: <c>128M</c>, <c>1.5Gi</c>, <c>750m</c>.</summary>
/// <remarks>appc 0.8.11, spec/types.md, "Resource Quantity": k, M, G, T, P, E are powers of 1000, with i of 1024; m is a thousandth.</remarks>
public static class Quantity
{
    static readonly (string Suffix, decimal Factor)[] Suffixes =
    [
        ("Ki", 1024m), ("Mi", 1048576m), ("Gi", 1073741824m), ("Ti", 1099511627776m), ("Pi", 1125899906842624m), ("Ei", 1152921504606846976m),
        ("m", 0.001m), ("k", 1e3m), ("K", 1e3m), ("M", 1e6m), ("G", 1e9m), ("T", 1e12m), ("P", 1e15m), ("E", 1e18m),
    ];

    /// <summary>The amount in thousandths, rounded up, as CPU limits count.</summary>
    public static long ParseThousandths(string text, string path) => Round(Parse(text, path) * 1000m, text, path);

    /// <summary>The amount in whole units, rounded up, as bytes count.</summary>
    /// <exception cref="SpecException">Not an amount, negative, or too large.</exception>
    public static long ParseWhole(string text, string path) => Round(Parse(text, path), text, path);

    static decimal Parse(string text, string path)
    {
        var number = text;
        decimal factor = 1;
        foreach (var (suffix, value) in Suffixes)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal))
            {
                number = text[..^suffix.Length];
                factor = value;
                break;
            }
        }

        const NumberStyles Plain = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return decimal.TryParse(number, Plain, CultureInfo.InvariantCulture, out var amount) && amount <= decimal.MaxValue / 1000 / Math.Max(1, factor)
            ? amount * factor
            : throw new SpecException(path, $"'{text}' is not an amount: use a number with k, M, G, T or Ki, Mi, Gi, Ti, or m for thousandths");
    }

    static long Round(decimal amount, string text, string path) =>
        Math.Ceiling(amount) is var whole and <= long.MaxValue ? (long)whole : throw new SpecException(path, $"'{text}' is too large");
}
