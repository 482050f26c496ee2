using System.Text;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Services;

/// <summary>Makes whole lines of the pieces that long ones are kept in, as the API tells them: time, a space, and what the app wrote.</summary>
sealed class LogText
{
    readonly Dictionary<(AppName App, bool IsError), List<byte>> begun = [];

    public IEnumerable<string> Join(IEnumerable<LogLine> pieces)
    {
        foreach (var piece in pieces)
        {
            var stream = (piece.App, piece.IsError);
            if (!begun.Remove(stream, out var line))
            {
                line = [];
            }

            line.AddRange(piece.Content);
            if (piece.IsWhole)
            {
                yield return $"{piece.Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fffffff}00Z {Encoding.UTF8.GetString([.. line])}";
            }
            else
            {
                begun.Add(stream, line);
            }
        }
    }
}
