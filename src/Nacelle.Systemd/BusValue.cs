using System.Globalization;

namespace Nacelle.Systemd;

/// <summary>A value with its D-Bus type. See the D-Bus specification, "Type System".</summary>
public sealed class BusValue
{
    readonly object content;

    internal BusValue(string signature, object content)
    {
        Signature = signature;
        this.content = content;
    }

    /// <summary>The type, as D-Bus writes it: <c>s</c>, <c>au</c>, <c>a(sv)</c>.</summary>
    public string Signature { get; }

    /// <summary>A string, an object path or a signature.</summary>
    public string AsText => (string)content;

    public bool AsBoolean => (bool)content;

    /// <summary>An integer of any size; negative ones in two's complement.</summary>
    public ulong AsNumber => (ulong)content;

    public double AsDouble => (double)content;

    /// <summary>What an array or a structure holds.</summary>
    public IReadOnlyList<BusValue> Items => (BusValue[])content;

    /// <summary>What a variant holds.</summary>
    public BusValue Inner => (BusValue)content;

    public static BusValue Text(string text) => new("s", text);

    public static BusValue ObjectPath(string path) => new("o", path);

    public static BusValue Boolean(bool value) => new("b", value);

    public static BusValue Byte(byte number) => new("y", (ulong)number);

    public static BusValue UInt32(uint number) => new("u", (ulong)number);

    public static BusValue UInt64(ulong number) => new("t", number);

    /// <param name="element">The type of the items, which all have it; an array may be empty.</param>
    public static BusValue Array(string element, params BusValue[] items) => new("a" + element, items);

    public static BusValue Structure(params BusValue[] fields) => new($"({string.Concat(fields.Select(field => field.Signature))})", fields);

    public static BusValue Variant(BusValue inner) => new("v", inner);

    /// <summary>As GVariant text has it: <c>uint64 5</c>, <c>['a', 'b']</c>.</summary>
    public override string ToString() => Signature[0] switch
    {
        's' => Quoted,
        'o' => $"objectpath {Quoted}",
        'g' => $"signature {Quoted}",
        'b' => AsBoolean ? "true" : "false",
        'y' => $"byte 0x{AsNumber:x2}",
        'n' => $"int16 {(short)AsNumber}",
        'q' => $"uint16 {AsNumber}",
        'i' => $"{(int)AsNumber}",
        'u' => $"uint32 {AsNumber}",
        'x' => $"int64 {(long)AsNumber}",
        't' => $"uint64 {AsNumber}",
        'd' => AsDouble.ToString("0.0###############", CultureInfo.InvariantCulture),
        'a' => Items.Count == 0 ? $"@{Signature} []" : $"[{string.Join(", ", Items)}]",
        '(' => $"({string.Join(", ", Items)})",
        _ => $"<{Inner}>",
    };

    string Quoted => $"'{AsText.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
