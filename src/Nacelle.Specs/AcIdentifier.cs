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

    internal static string Rule(string text) => $"'{text}' is not a valid name: use a-z and 0-9, with one of {Marks} between them";
}
