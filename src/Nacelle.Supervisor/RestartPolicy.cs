using System.Globalization;

namespace Nacelle.Supervisor;

enum RestartWhen : byte
{
    Never,
    OnFailure,
    Always,
}

/// <summary>Whether and when an app that has ended is started again.</summary>
/// <param name="Most">How often after a failure, in a row; 0 for without end.</param>
sealed record RestartPolicy(RestartWhen When, int Most = 0)
{
    public static readonly RestartPolicy Never = new(RestartWhen.Never);

    const int FirstDelay = 100, LongestDelay = 60_000;

    /// <summary>An app that ran for so long has recovered, and its next failure is a first one. In milliseconds.</summary>
    public const int Recovered = 10_000;

    /// <summary>Reads <c>no</c>, <c>on-failure</c>, <c>on-failure:N</c>, <c>always</c>.</summary>
    public static RestartPolicy? TryParse(string text) => text switch
    {
        "no" => Never,
        "on-failure" => new(RestartWhen.OnFailure),
        "always" or "unless-stopped" => new(RestartWhen.Always),
        _ when text.StartsWith("on-failure:", StringComparison.Ordinal)
            && int.TryParse(text.AsSpan("on-failure:".Length), NumberStyles.None, CultureInfo.InvariantCulture, out int most) && most > 0 => new(RestartWhen.OnFailure, most),
        _ => null,
    };

    /// <param name="failures">In a row, this one counted.</param>
    public bool Restarts(int code, int failures) => When switch
    {
        RestartWhen.Always => true,
        RestartWhen.OnFailure => code != 0 && (Most == 0 || failures <= Most),
        _ => false,
    };

    /// <summary>Twice as long after each end in a row, from a tenth of a second to a minute. In milliseconds.</summary>
    public static int Delay(int failures) => Math.Min(LongestDelay, FirstDelay << Math.Min(Math.Max(failures - 1, 0), 10));
}
