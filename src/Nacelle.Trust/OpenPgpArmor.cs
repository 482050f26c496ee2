using System.Text;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>The text form of OpenPGP messages: base64 between lines of dashes. What is not in it is taken for binary.</summary>
/// <remarks>RFC 9580, 6.2; RFC 4880, 6.1 for the checksum, which may be missing.</remarks>
static class OpenPgpArmor
{
    const int LongestLine = 1000, MostBlocks = 1000;

    static readonly char[] Blanks = [' ', '\t', '\r'];

    /// <summary>The binary form of a message that may be armored; several blocks give the sequence of their packets.</summary>
    /// <param name="largest">In bytes, of the given form.</param>
    /// <exception cref="SpecException">Too large, empty, or damaged; the path says the line.</exception>
    public static ReadOnlyMemory<byte> Decode(ReadOnlyMemory<byte> message, int largest)
    {
        if (message.Length > largest)
        {
            throw new SpecException("", $"has {message.Length} bytes; at most {largest} are read");
        }

        if (message.IsEmpty)
        {
            throw new SpecException("", "is empty");
        }

        return (message.Span[0] & 0x80) != 0 ? message : DecodeText(message.Span);
    }

    /// <param name="label">As in <c>PUBLIC KEY BLOCK</c>.</param>
    public static byte[] Encode(string label, ReadOnlySpan<byte> message) => Encoding.ASCII.GetBytes(
        $"-----BEGIN PGP {label}-----\n\n{Convert.ToBase64String(message, Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")}\n={Convert.ToBase64String(Checksum(message))}\n-----END PGP {label}-----\n");

    static byte[] DecodeText(ReadOnlySpan<byte> text)
    {
        using var result = new MemoryStream();
        int blocks = 0;
        var state = State.Outside;
        string label = "";
        var base64 = new StringBuilder();
        byte[] block = [];
        int number = 0;
        foreach (var range in text.Split((byte)'\n'))
        {
            number++;
            if (text[range].Length > LongestLine)
            {
                throw new SpecException($"line {number}", $"is longer than {LongestLine} characters");
            }

            string line = Encoding.Latin1.GetString(text[range]).TrimEnd(Blanks);
            switch (state)
            {
                case State.Outside when line.StartsWith("-----BEGIN PGP ", StringComparison.Ordinal) && line.EndsWith("-----", StringComparison.Ordinal) && line.Length > 20:
                    label = line[15..^5];
                    state = ++blocks <= MostBlocks ? State.Headers : throw new SpecException($"line {number}", $"there are more than {MostBlocks} blocks");
                    break;
                case State.Headers when line.Length == 0:
                    state = State.Body;
                    break;
                case State.Headers when !line.Contains(": ", StringComparison.Ordinal) && !line.EndsWith(':'):
                    throw new SpecException($"line {number}", "is neither a header nor the empty line before the data");
                case State.Body or State.Checked when line == $"-----END PGP {label}-----":
                    result.Write(state == State.Body ? FromBase64(base64, number) : block);
                    base64.Clear();
                    state = State.Outside;
                    break;
                case State.Body when line.Length == 5 && line[0] == '=':
                    block = FromBase64(base64, number);
                    state = Convert.ToBase64String(Checksum(block)) == line[1..] ? State.Checked : throw new SpecException($"line {number}", "the checksum does not fit the data");
                    break;
                case State.Body:
                    base64.Append(line);
                    break;
                case State.Checked when line.Length > 0:
                    throw new SpecException($"line {number}", "only the end may follow the checksum");
            }
        }

        return state != State.Outside ? throw new SpecException($"line {number}", $"the end of the block is missing: -----END PGP {label}-----")
            : blocks == 0 ? throw new SpecException("", "is no OpenPGP message: it begins neither with a packet nor with -----BEGIN PGP")
            : result.ToArray();
    }

    static byte[] FromBase64(StringBuilder text, int line)
    {
        var bytes = new byte[(text.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(text.ToString(), bytes, out int length) ? bytes[..length]
            : throw new SpecException($"line {line}", "the lines before it are not base64");
    }

    /// <summary>CRC-24. RFC 4880, 6.1.</summary>
    static byte[] Checksum(ReadOnlySpan<byte> data)
    {
        uint crc = 0xB704CE;
        foreach (byte one in data)
        {
            crc ^= (uint)one << 16;
            for (int bit = 0; bit < 8; bit++)
            {
                crc <<= 1;
                crc ^= (crc & 0x1000000) != 0 ? 0x1864CFBu : 0;
            }
        }

        return [(byte)(crc >> 16), (byte)(crc >> 8), (byte)crc];
    }

    enum State
    {
        Outside,
        Headers,
        Body,
        Checked,
    }
}
