using System.Text;
using Nacelle.Linux;

namespace Nacelle.CommandLine;

/// <summary>What people and scripts get to read. Plain writes: the console class of .NET costs a millisecond to start.</summary>
public static class Output
{
    public static void Line(string text) => Write(text + "\n");

    public static void Write(string text) => Write(FileDescriptor.StandardOutput, text);

    /// <summary>Who speaks on standard error: us, and of rkt the command.</summary>
    public static string Speaker { get; internal set; } = ProgramName.Text;

    public static void Error(string text) => Write(FileDescriptor.StandardError, $"{Speaker}: {text}\n");

    /// <summary>Columns as rkt aligns them: by tabulators, eight characters wide.</summary>
    public static void Table(IReadOnlyList<string[]> rows)
    {
        const int Tab = 8;
        var text = new StringBuilder();
        int columns = rows.Count == 0 ? 0 : rows.Max(row => row.Length);
        var widths = new int[columns];
        for (int column = 0; column < columns - 1; column++)
        {
            widths[column] = ((rows.Max(row => row[column].Length) / Tab) + 1) * Tab;
        }

        foreach (var row in rows)
        {
            for (int column = 0; column < row.Length - 1; column++)
            {
                text.Append(row[column]).Append('\t', (widths[column] - row[column].Length + Tab - 1) / Tab);
            }

            text.Append(row[^1]).Append('\n');
        }

        Write(text.ToString());
    }

    /// <summary>How long ago, in the words of rkt's tables: <c>2 minutes ago</c>.</summary>
    public static string Ago(DateTimeOffset? time)
    {
        if (time is not { } then)
        {
            return "";
        }

        var age = DateTimeOffset.UtcNow - then;
        return age.TotalSeconds < 1 ? "now"
            : age.TotalSeconds < 60 ? Count((int)age.TotalSeconds, "second")
            : age.TotalMinutes < 60 ? Count((int)age.TotalMinutes, "minute")
            : age.TotalHours < 24 ? Count((int)age.TotalHours, "hour")
            : age.TotalDays < 7 ? Count((int)age.TotalDays, "day")
            : age.TotalDays < 30 ? Count((int)(age.TotalDays / 7), "week")
            : age.TotalDays < 365 ? Count((int)(age.TotalDays / 30), "month")
            : Count((int)(age.TotalDays / 365), "year");
    }

    /// <summary>A size as rkt's tables have it: <c>12MiB</c>.</summary>
    public static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        double size = bytes;
        int unit = 0;
        for (; size >= 1024 && unit < units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return size < 10 && unit > 0 ? FormattableString.Invariant($"{size:0.0}{units[unit]}") : FormattableString.Invariant($"{size:0}{units[unit]}");
    }

    static string Count(int number, string unit) => $"{number} {unit}{(number == 1 ? "" : "s")} ago";

    static void Write(FileDescriptor file, string text)
    {
        try
        {
            Files.Write(file, Encoding.UTF8.GetBytes(text));
        }
        catch (KernelException failure) when (failure.Errno == Errno.EPIPE)
        {
            // The reader has had enough.
        }
    }
}
