using System.Globalization;

namespace Nacelle.Trust;

static class OpenPgpTime
{
    /// <summary>How far clocks may differ before something is from the future.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromMinutes(5);

    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
