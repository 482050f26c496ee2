namespace Nacelle.Specs;

static partial class RuntimeConfigCheck
{
    /// <summary>Any release of version 1 is taken, later ones too: what they added is unknown here, and unknown members are to be passed over.</summary>
    /// <remarks>config.md, "Specification version"; Semantic Versioning 2.0.0.</remarks>
    static void Version(string version)
    {
        var core = version.AsSpan();
        int build = core.IndexOf('+');
        bool valid = build < 0 || AreIdentifiers(core[(build + 1)..], areNumbersPlain: false);
        core = build < 0 ? core : core[..build];
        int release = core.IndexOf('-');
        valid &= release < 0 || AreIdentifiers(core[(release + 1)..], areNumbersPlain: true);
        core = release < 0 ? core : core[..release];
        int parts = 0;
        foreach (var part in core.Split('.'))
        {
            valid &= IsPlainNumber(core[part]);
            parts++;
        }

        if (!valid || parts != 3)
        {
            throw new SpecException("ociVersion", $"'{Short(version)}' is not a version such as {RuntimeConfig.CurrentVersion}");
        }

        if (!core.StartsWith("1."))
        {
            throw new SpecException("ociVersion", $"version {Short(version)} of the specification is not supported: use 1.0.0 to {RuntimeConfig.CurrentVersion}");
        }
    }

    static bool AreIdentifiers(ReadOnlySpan<char> text, bool areNumbersPlain)
    {
        foreach (var range in text.Split('.'))
        {
            var identifier = text[range];
            foreach (char letter in identifier)
            {
                if (!char.IsAsciiLetterOrDigit(letter) && letter != '-')
                {
                    return false;
                }
            }

            if (identifier.IsEmpty || (areNumbersPlain && !identifier.ContainsAnyExceptInRange('0', '9') && !IsPlainNumber(identifier)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Digits only, and none of them a zero in front.</summary>
    static bool IsPlainNumber(ReadOnlySpan<char> text) =>
        !text.IsEmpty && !text.ContainsAnyExceptInRange('0', '9') && (text[0] != '0' || text.Length == 1);
}
