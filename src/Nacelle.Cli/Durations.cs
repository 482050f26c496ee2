using System.Globalization;
using Nacelle.CommandLine;

namespace Nacelle.Cli;

/// <summary>Durations on the command line.</summary>
static class Durations
{
    /// <summary>Reads a duration as Go writes it: <c>30m</c>, <c>1h30m</c>, <c>0s</c>.</summary>
    public static TimeSpan Of(Invocation invocation, Option option, TimeSpan otherwise)
    {
        if (invocation.Value(option) is not { } text)
        {
            return otherwise;
        }

        var total = TimeSpan.Zero;
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExcept("0123456789.");
            digits = digits < 0 ? rest.Length : digits;
            int letters = rest[digits..].IndexOfAny("0123456789.");
            letters = letters < 0 ? rest.Length - digits : letters;
            double seconds = rest.Slice(digits, letters) switch { "h" => 3600, "m" => 60, "s" => 1, "ms" => 0.001, "" when text == "0" => 1, _ => -1 };
            if (seconds < 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            {
                throw new UserException($"--{option.Name}={text}: write a duration, as in 30m or 1h30m");
            }

            total += TimeSpan.FromSeconds(number * seconds);
            rest = rest[(digits + letters)..];
        }

        return total;
    }
}
