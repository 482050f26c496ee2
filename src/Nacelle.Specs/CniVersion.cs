using System.Globalization;

namespace Nacelle.Specs;

/// <summary>A version of the CNI specification, as in <c>1.0.0</c>.</summary>
public readonly record struct CniVersion(int Major, int Minor, int Patch) : IComparable<CniVersion>
{
    /// <summary>What a document means that names none.</summary>
    public static readonly CniVersion Unsaid = new(0, 1, 0);

    /// <summary>Brought chains of plug-ins, and results with interfaces.</summary>
    public static readonly CniVersion Chains = new(0, 3, 0);

    /// <summary>Brought CHECK, and the result of ADD for DEL.</summary>
    public static readonly CniVersion Checks = new(0, 4, 0);

    public static readonly CniVersion Major1 = new(1, 0, 0);

    /// <summary>Brought GC and STATUS.</summary>
    public static readonly CniVersion Collections = new(1, 1, 0);

    /// <summary>All that are spoken here, the oldest first.</summary>
    public static IReadOnlyList<CniVersion> Known { get; } = [Unsaid, new(0, 2, 0), Chains, new(0, 3, 1), Checks, Major1, Collections];

    public static CniVersion Newest => Known[^1];

    public bool IsKnown => Known.Contains(this);

    /// <returns>Null where the text is no version.</returns>
    public static CniVersion? TryParse(string text) =>
        text.Split('.') is [var major, var minor, var patch] && Number(major) is { } first && Number(minor) is { } second && Number(patch) is { } third
            ? new CniVersion(first, second, third) : null;

    /// <summary>The version that a document names; <paramref name="unsaid"/> where it names none.</summary>
    /// <exception cref="SpecException">It is none of <see cref="Known"/>.</exception>
    internal static CniVersion Read(SpecNode document, CniVersion unsaid)
    {
        if (document.Find("cniVersion") is not { } said || said.Text().Length == 0)
        {
            return unsaid;
        }

        return TryParse(said.Text()) is { IsKnown: true } version ? version : throw new SpecException(said.Path, $"'{said.Text()}' is none of {string.Join(", ", Known)}");
    }

    public int CompareTo(CniVersion other) => (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));

    public static bool operator <(CniVersion left, CniVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(CniVersion left, CniVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(CniVersion left, CniVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(CniVersion left, CniVersion right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"{Major}.{Minor}.{Patch}";

    static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
