namespace Nacelle.Linux;

/// <summary>Signals by the names that images and command lines use.</summary>
public static class SignalNames
{
    static readonly string[] Names =
    [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT",
        "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>Reads <c>SIGTERM</c>, <c>TERM</c>, <c>15</c>, <c>SIGRTMIN+3</c>.</summary>
    /// <returns>Null where there is no such signal.</returns>
    public static Signal? Parse(string text)
    {
        const int First = 34, Last = 64; // SIGRTMIN as the C library has it, SIGRTMAX
        if (int.TryParse(text, out int number))
        {
            return number is > 0 and <= Last ? (Signal)number : null;
        }

        var name = text.StartsWith("SIG", StringComparison.OrdinalIgnoreCase) ? text[3..] : text;
        if (name.StartsWith("RTMIN", StringComparison.OrdinalIgnoreCase) || name.StartsWith("RTMAX", StringComparison.OrdinalIgnoreCase))
        {
            int start = name.StartsWith("RTMIN", StringComparison.OrdinalIgnoreCase) ? First : Last;
            int offset = 0;
            return (name.Length == 5 || int.TryParse(name.AsSpan(5), System.Globalization.NumberStyles.AllowLeadingSign, null, out offset))
                && start + offset is >= First and <= Last ? (Signal)(start + offset) : null;
        }

        int at = Array.FindIndex(Names, known => known.Length > 0 && known.Equals(name, StringComparison.OrdinalIgnoreCase));
        return at > 0 ? (Signal)at : null;
    }
}
