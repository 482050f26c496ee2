using System.Buffers;

namespace Nacelle.Specs;

/// <summary>What networks, containers, devices and plug-ins may be called.</summary>
/// <remarks>CNI specification 1.1.0, sections 1 and 2; the kernel's rules for devices: dev_valid_name in net/core/dev.c.</remarks>
public static class NetworkName
{
    const int LongestDevice = 15, LongestFile = 255;

    static readonly SearchValues<char> Letters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    /// <summary>Begins with a letter or digit and goes on with those, <c>_</c>, <c>.</c> and <c>-</c>: of networks and containers.</summary>
    public static bool IsIdentifier(string text) => text.Length is > 0 and <= LongestFile && char.IsAsciiLetterOrDigit(text[0]) && !text.AsSpan().ContainsAnyExcept(Letters);

    /// <summary>Of a device in a network namespace.</summary>
    public static bool IsDevice(string text) =>
        text is not ("" or "." or "..") && System.Text.Encoding.UTF8.GetByteCount(text) <= LongestDevice && !text.AsSpan().ContainsAny('/', ':') && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));

    /// <summary>Of a plug-in's executable, without a directory.</summary>
    public static bool IsPlugin(string text) => text is not ("" or "." or "..") && text.Length <= LongestFile && !text.AsSpan().ContainsAny("/\\\0");

    internal static string ReadNetwork(SpecNode document)
    {
        var name = document.Need("name");
        return IsIdentifier(name.Text()) ? name.Text()
            : throw new SpecException(name.Path, $"'{name.Text()}' is not a network's name: begin it with a letter or digit, and go on with letters, digits, '_', '.' and '-'");
    }

    internal static string ReadPlugin(SpecNode document)
    {
        var type = document.Need("type");
        return IsPlugin(type.Text()) ? type.Text() : throw new SpecException(type.Path, $"'{type.Text()}' is not the name of a plug-in's executable");
    }
}
