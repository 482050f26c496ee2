using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>What <c>--chmod</c> says: an octal number, or changes in the words of chmod(1), as in <c>u=rwX,go=rX</c>.</summary>
/// <remarks>Who is not named is everybody: no umask counts.</remarks>
sealed class ModeChange
{
    const uint Everything = 0xFFF, Executable = 0x49; // 07777, 0111

    readonly uint? octal;
    readonly List<(string Who, char Operation, string What)> changes = [];

    ModeChange(string text, uint? octal) => (Text, this.octal) = (text, octal);

    public string Text { get; }

    /// <returns>Null where the text is neither of the two.</returns>
    public static ModeChange? TryParse(string text)
    {
        if (text.Length is > 0 and <= 5 && !text.AsSpan().ContainsAnyExceptInRange('0', '7'))
        {
            uint bits = Convert.ToUInt32(text, 8);
            return bits <= Everything ? new ModeChange(text, bits) : null;
        }

        var change = new ModeChange(text, null);
        return text.Split(',').All(change.TryAdd) ? change : null;
    }

    /// <param name="mode">The permissions that a file has.</param>
    public uint Apply(uint mode, FileKind kind)
    {
        if (octal is { } all)
        {
            return all;
        }

        foreach (var (who, operation, what) in changes)
        {
            uint bits = 0, whole = 0;
            foreach (char one in who)
            {
                bits |= Bits(one, what, mode, kind);
                whole |= Class(one, 7) | Special(one);
            }

            mode = operation switch { '+' => mode | bits, '-' => mode & ~bits, _ => (mode & ~whole) | bits };
        }

        return mode;
    }

    /// <summary>One clause: who, and one or several operations.</summary>
    bool TryAdd(string clause)
    {
        int at = clause.AsSpan().IndexOfAnyExcept("ugoa");
        if (at < 0)
        {
            return false;
        }

        string who = at == 0 || clause[..at].Contains('a') ? "ugo" : clause[..at];
        while (at < clause.Length)
        {
            char operation = clause[at++];
            int end = clause.AsSpan(at).IndexOfAny("+-=") is >= 0 and var length ? at + length : clause.Length;
            string what = clause[at..end];
            if (operation is not ('+' or '-' or '=') || (what.AsSpan().ContainsAnyExcept("rwxXst") && what is not ("u" or "g" or "o")))
            {
                return false;
            }

            changes.Add((who, operation, what));
            at = end;
        }

        return true;
    }

    static uint Bits(char who, string what, uint mode, FileKind kind)
    {
        uint bits = 0;
        foreach (char one in what)
        {
            bits |= one switch
            {
                'r' => Class(who, 4),
                'w' => Class(who, 2),
                'x' => Class(who, 1),
                'X' => kind == FileKind.Directory || (mode & Executable) != 0 ? Class(who, 1) : 0,
                's' => who == 'o' ? 0 : Special(who),
                't' => who == 'o' ? Special(who) : 0,
                _ => Class(who, (mode >> Shift(one)) & 7),
            };
        }

        return bits;
    }

    static int Shift(char who) => who switch { 'u' => 6, 'g' => 3, _ => 0 };

    static uint Class(char who, uint bits) => bits << Shift(who);

    /// <summary>Set-user-ID, set-group-ID, and what keeps others from removing.</summary>
    static uint Special(char who) => who switch { 'u' => 0x800, 'g' => 0x400, _ => 0x200 };
}
