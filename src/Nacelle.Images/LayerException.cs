using System.Globalization;
using System.Text;

namespace Nacelle.Images;

/// <summary>A layer's content is refused: which entry, and the rule that it breaks.</summary>
/// <remarks>Everything that a layer's author can cause arrives as this; errors of the source stream and of the machine do not.</remarks>
public sealed class LayerException : Exception
{
    const int LongestShown = 200;

    /// <param name="entry">The entry's name as the archive has it; empty when the fault is the archive's as a whole.</param>
    /// <param name="rule">What is wrong, as the rest of a sentence that begins with the entry's name.</param>
    public LayerException(string entry, string rule, Exception? inner = null)
        : base(entry.Length == 0 ? $"layer: {rule}" : $"layer entry '{Printable(entry)}' {rule}", inner)
    {
        Entry = entry;
        Rule = rule;
    }

    public string Entry { get; }

    public string Rule { get; }

    /// <summary>One line, whatever bytes the archive's author put into the name.</summary>
    public static string Printable(string name)
    {
        var text = new StringBuilder();
        foreach (var rune in name.EnumerateRunes())
        {
            if (text.Length > LongestShown)
            {
                return text.Append('…').ToString();
            }

            if (Rune.IsControl(rune) || rune == Rune.ReplacementChar || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.LineSeparator)
            {
                text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
            }
            else
            {
                text.Append(rune.ToString());
            }
        }

        return text.ToString();
    }
}
