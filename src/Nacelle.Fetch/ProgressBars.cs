using System.Globalization;
using System.Text;
using Nacelle.Images;

namespace Nacelle.Fetch;

/// <summary>
/// Draws a line per layer and file on standard error while it lives. At the end layers' lines are taken away, and those of files stay. Where standard error
/// is no terminal only these are written, when a file is whole.
/// </summary>
sealed class ProgressBars : IAsyncDisposable
{
    const int LongestBar = 40;

    // Cursor up and to the first column; erase from there to the end of the screen. ECMA-48, CPL and ED.
    const string EraseBelow = "\x1b[J";

    readonly FetchProgress progress;
    readonly CancellationTokenSource stop = new();
    readonly Task drawing;
    readonly Lock drawingFrame = new();
    int[] drawn = [];
    int filesTold;

    ProgressBars(FetchProgress progress, bool enabled)
    {
        this.progress = progress;
        drawing = enabled && !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb") ? DrawAsync() : Task.CompletedTask;
    }

    public static ProgressBars Show(FetchProgress progress, bool enabled) => new(progress, enabled);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await drawing;
        Tell("");
        stop.Dispose();
    }

    /// <summary>Writes text above the lines that are being drawn.</summary>
    /// <param name="text">Whole lines.</param>
    public void Tell(string text)
    {
        lock (drawingFrame)
        {
            Console.Error.Write(Erase() + FinishedFiles() + text);
            drawn = [];
        }
    }

    string FinishedFiles()
    {
        var lines = new StringBuilder();
        for (var files = progress.Downloads; filesTold < files.Count && files[filesTold].IsOver; filesTold++)
        {
            lines.Append(Line(files[filesTold], Width - 1)).Append('\n');
        }

        return lines.ToString();
    }

    async Task DrawAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                Draw();
            }
        }
        catch (OperationCanceledException)
        {
            // The fetch is over.
        }
    }

    static int Width => !Console.IsErrorRedirected && Console.WindowWidth is > 0 and var columns ? columns : 80;

    static int Room => Math.Max(1, (Console.WindowHeight is > 0 and var rows ? rows : 24) - 1);

    void Draw()
    {
        lock (drawingFrame)
        {
            DrawFrame();
        }
    }

    void DrawFrame()
    {
        var layers = progress.Layers;
        int width = Width, room = Room;
        var finished = FinishedFiles();
        var files = progress.Downloads.Skip(filesTold).Select(file => Line(file, width - 1));
        if (layers.Count == 0 && finished.Length == 0 && !files.Any())
        {
            return;
        }

        // What does not fit on the screen could not be drawn over; finished layers make room first.
        var shown = layers.Count <= room ? layers : [.. layers.OrderBy(layer => layer.Phase == LayerPhase.Done).Take(room)];
        var frame = new StringBuilder();
        var lines = files.Concat(shown.Select(layer => Line(layer, width - 1))).Take(room).ToArray();
        frame.Append(Erase()).Append(finished);
        foreach (string line in lines)
        {
            frame.Append(line).Append('\n');
        }

        drawn = [.. lines.Select(line => line.Length)];
        Console.Error.Write(frame);
    }

    /// <summary>What takes the last frame off the screen. Terminals wrap old lines anew when they become narrower, so its rows are counted anew too.</summary>
    string Erase()
    {
        int rows = Math.Min(drawn.Sum(length => 1 + (Math.Max(0, length - 1) / Width)), Room);
        return rows == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"\x1b[{rows}F{EraseBelow}");
    }

    /// <summary>One layer in at most <paramref name="width"/> columns: digest, bar, bytes, state.</summary>
    internal static string Line(LayerProgress layer, int width)
    {
        string state = layer.Phase switch
        {
            LayerPhase.Pending => "pending",
            LayerPhase.Waiting => "waiting for another fetch",
            LayerPhase.Fetching or LayerPhase.Sending => "",
            LayerPhase.Unpacking => "unpacking",
            LayerPhase.Compressing => "compressing",
            _ => "done",
        };
        long done = Math.Min(layer.Done, layer.Total);
        string bytes = $"{Size(done),9} / {Size(layer.Total),-9}";
        string head = layer.Digest.Hex[..12];
        int length = Math.Clamp(width - head.Length - bytes.Length - state.Length - 6, 0, LongestBar);
        int filled = layer.Total == 0 ? length : (int)(done * length / layer.Total);
        string bar = length < 8 ? "" : $"[{new string('#', filled)}{new string('.', length - filled)}] ";
        string line = $"{head} {bar}{bytes} {state}".TrimEnd();
        return line.Length <= width ? line : line[..Math.Max(0, width)];
    }

    /// <summary>One file: what it is, bar, bytes.</summary>
    internal static string Line(DownloadProgress file, int width)
    {
        long total = file.Total ?? file.Done;
        string head = $"Downloading {file.Title}: ", bytes = $" {Size(file.Done)}/{(file.Total is null && !file.IsOver ? "?" : Size(total))}";
        int length = Math.Clamp(width - head.Length - bytes.Length - 2, 0, LongestBar);
        int filled = total == 0 ? length : (int)(Math.Min(file.Done, total) * length / total);
        string line = head + (length < 8 ? "" : $"[{new string('=', filled)}{new string(' ', length - filled)}]") + bytes;
        return line.Length <= width ? line : line[..Math.Max(0, width)];
    }

    static string Size(long bytes) => bytes switch
    {
        >= 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.00} GiB"),
        >= 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.0} MiB"),
        >= 1 << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 10):0.0} KiB"),
        _ => $"{bytes} B",
    };
}
