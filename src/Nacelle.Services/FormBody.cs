namespace Nacelle.Services;

/// <summary>A form as browsers and <c>curl --data</c> send it. Values stay bytes: what is signed may be anything.</summary>
/// <remarks>WHATWG, URL standard, "application/x-www-form-urlencoded parsing".</remarks>
static class FormBody
{
    public const string ContentType = "application/x-www-form-urlencoded";

    /// <returns>The value of each name; of one that stands twice the first.</returns>
    public static IReadOnlyDictionary<string, byte[]> Parse(ReadOnlySpan<byte> body)
    {
        var form = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var range in body.Split((byte)'&'))
        {
            var pair = body[range];
            int equals = pair.IndexOf((byte)'=');
            var name = System.Text.Encoding.UTF8.GetString(Decode(equals < 0 ? pair : pair[..equals]));
            form.TryAdd(name, equals < 0 ? [] : Decode(pair[(equals + 1)..]));
        }

        return form;
    }

    static byte[] Decode(ReadOnlySpan<byte> text)
    {
        var decoded = new byte[text.Length];
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            bool escaped = text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit((char)text[i + 1]) && char.IsAsciiHexDigit((char)text[i + 2]);
            decoded[length++] = escaped ? Convert.FromHexString([(char)text[i + 1], (char)text[i + 2]])[0] : text[i] == '+' ? (byte)' ' : text[i];
            i += escaped ? 2 : 0;
        }

        return decoded[..length];
    }
}
