namespace Nacelle.Specs;

/// <summary>Names an image, a label, an annotation in appc: lower-case letters and digits, with single marks of <c>-._~/</c> between them.</summary>
/// <remarks>appc 0.8.11, spec/types.md, "AC Identifier Type".</remarks>
public static class AcIdentifier
{
    const string Marks = "-._~/";

    public static bool IsValid(string text)
    {
        bool markBefore = true;
        foreach (char letter in text)
        {
            bool mark = Marks.Contains(letter);
            if (mark ? markBefore : !char.IsAsciiLetterLower(letter) && !char.IsAsciiDigit(letter))
            {
                return false;
            }

            markBefore = mark;
        }

        return !markBefore;
    }

    /// <summary>The name that says most of a text that need not be one: other letters give way to marks, "/" before all others.</summary>
    /// <exception cref="SpecException">It has neither letter nor digit.</exception>
    public static string From(string text)
    {
        var name = new System.Text.StringBuilder(text.Length);
        var between = "";
        foreach (char letter in text.ToLowerInvariant())
        {
            if (!char.IsAsciiLetterLower(letter) && !char.IsAsciiDigit(letter))
            {
                between += letter;
                continue;
            }

            if (name.Length > 0 && between.Length > 0)
            {
                name.Append(between.Contains('/') ? '/' : between.Length == 1 && Marks.Contains(between) ? between[0] : '-');
            }

            name.Append(letter);
            between = "";
        }

        return name.Length > 0 ? name.ToString() : throw new SpecException("", Rule(text));
    }

    internal static string Rule(string text) => $"'{text}' is not a valid name: use a-z and 0-9, with one of {Marks} between them";
}
