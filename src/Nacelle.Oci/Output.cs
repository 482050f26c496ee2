using System.Text;
using Nacelle.Linux;

namespace Nacelle.Oci;

/// <summary>What people and engines get to read. Plain writes: the console class of .NET costs a millisecond to start.</summary>
static class Output
{
    public static void Line(string text) => Write(text + "\n");

    public static void Write(string text) => Write(Encoding.UTF8.GetBytes(text));

    public static void Write(ReadOnlySpan<byte> text)
    {
        try
        {
            Files.Write(FileDescriptor.StandardOutput, text);
        }
        catch (KernelException failure) when (failure.Errno == Errno.EPIPE)
        {
            // The reader has had enough.
        }
    }

    /// <summary>Columns, three blanks apart.</summary>
    public static void Table(IReadOnlyList<string[]> rows)
    {
        var text = new StringBuilder();
        var widths = new int[rows[0].Length];
        for (int column = 0; column < widths.Length; column++)
        {
            widths[column] = rows.Max(row => row[column].Length) + 3;
        }

        foreach (var row in rows)
        {
            for (int column = 0; column < row.Length; column++)
            {
                text.Append(column == row.Length - 1 ? row[column] : row[column].PadRight(widths[column]));
            }

            text.Append('\n');
        }

        Write(text.ToString());
    }
}
