using System.Globalization;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>gc</c>: removes what dead pods and crashed commands have left.</summary>
static class CollectCommand
{
    static readonly Option Grace = new("grace-period", "DURATION", "keep exited pods so long (30m)");
    static readonly Option ExpirePrepared = new("expire-prepared", "DURATION", "keep prepared pods so long (24h)");
    static readonly Option MarkOnly = new("mark-only", null, "only mark pods as garbage, remove none");

    public static readonly Command Definition = new(
        "gc", "[FLAGS]", "remove what dead pods have left", [Grace, ExpirePrepared, MarkOnly], Run);

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        var options = new CollectOptions
        {
            Grace = Duration(invocation, Grace, TimeSpan.FromMinutes(30)),
            ExpirePrepared = Duration(invocation, ExpirePrepared, TimeSpan.FromHours(24)),
            MarkOnly = invocation.Is(MarkOnly),
        };
        bool whole = PodCollection.Collect(pods, options, done => Output.Line(done), problem => Output.Error(problem));
        if (!options.MarkOnly)
        {
            // Layers that only removed pods used, and what interrupted downloads and unpackings have left.
            using var images = ImageStore.Open(pods.Path);
            images.Layers.Sweep();
            images.Collect(() => PodCollection.LayersInUse(pods), TimeSpan.FromHours(24));
        }

        return whole ? 0 : 254;
    }

    /// <summary>Reads a duration as Go writes it: <c>30m</c>, <c>1h30m</c>, <c>0s</c>.</summary>
    static TimeSpan Duration(Invocation invocation, Option option, TimeSpan otherwise)
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
