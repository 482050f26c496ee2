using System.IO.Compression;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>A message that carries its own signature, as <c>gpg --sign</c> makes it: one signature over one short text.</summary>
/// <remarks>RFC 9580, 10.3; containers-signature(5), "The cryptographic signature".</remarks>
public sealed class SignedMessage
{
    /// <summary>In bytes, compressed or not.</summary>
    public const int Largest = 1 << 20;

    readonly SignaturePacket signature;
    readonly ReadOnlyMemory<byte> content;

    SignedMessage(SignaturePacket signature, ReadOnlyMemory<byte> content)
    {
        this.signature = signature;
        this.content = content;
    }

    /// <summary>The key that the signature says it is by: a fingerprint or the last 16 digits of it.</summary>
    public string Issuer => signature.Issuer;

    /// <param name="source">Where it comes from, for messages.</param>
    /// <exception cref="SpecException">Not a message of that form; says where.</exception>
    public static SignedMessage Parse(ReadOnlyMemory<byte> message, string source)
    {
        try
        {
            return Parse(message);
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    internal static SignedMessage Parse(ReadOnlyMemory<byte> message)
    {
        var packets = ReadPackets(OpenPgpArmor.Decode(message, Largest));
        if (packets is [{ Tag: PacketTag.Compressed } compressed])
        {
            packets = ReadPackets(Inflate(compressed));
        }

        // With a one-pass packet before and the signature behind, or in the old order with the signature before.
        var (literal, signed) = packets switch
        {
            [{ Tag: PacketTag.OnePassSignature }, { Tag: PacketTag.Literal } text, { Tag: PacketTag.Signature } behind] => (text, behind),
            [{ Tag: PacketTag.Signature } before, { Tag: PacketTag.Literal } text] => (text, before),
            _ => throw new SpecException("", "is not a text with one signature"),
        };
        return new SignedMessage(SignaturePacket.Parse(signed), ContentOf(literal));
    }

    /// <summary>Checks the signature.</summary>
    /// <param name="text">What was signed; empty unless the verdict is good.</param>
    public SignatureVerdict Verify(IReadOnlyList<OpenPgpKey> keys, DateTimeOffset now, out ReadOnlyMemory<byte> text)
    {
        using var data = new SignedData();
        data.Update(content.Span);
        var verdict = data.Judge(signature, keys, now);
        text = verdict.IsGood ? content : default;
        return verdict;
    }

    static List<OpenPgpPacket> ReadPackets(ReadOnlyMemory<byte> message)
    {
        var packets = OpenPgpPacket.ReadAll(message);
        packets.RemoveAll(packet => packet.Tag is PacketTag.Marker or PacketTag.Padding);
        return packets;
    }

    static byte[] Inflate(OpenPgpPacket packet)
    {
        if (packet.Body.IsEmpty)
        {
            throw new SpecException(packet.Place, "is compressed, but empty");
        }

        int algorithm = packet.Body.Span[0];
        using var source = new MemoryStream(packet.Body[1..].ToArray());
        using Stream plain = algorithm switch
        {
            0 => source,
            1 => new DeflateStream(source, CompressionMode.Decompress),
            2 => new ZLibStream(source, CompressionMode.Decompress),
            _ => throw new SpecException(packet.Place, $"compression {(algorithm == 3 ? "by bzip2" : $"{algorithm}")} is not supported"),
        };
        var buffer = new byte[Largest + 1];
        int length;
        try
        {
            length = plain.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException failure)
        {
            throw new SpecException(packet.Place, $"the compressed data is damaged ({failure.GetType().Name})");
        }

        return length <= Largest ? buffer[..length] : throw new SpecException(packet.Place, $"holds more than {Largest} bytes");
    }

    static ReadOnlyMemory<byte> ContentOf(OpenPgpPacket literal)
    {
        var reader = new ByteReader(literal.Body.Span, literal.Place);
        reader.Byte(); // binary or text: no difference to the signature
        reader.Bytes(reader.Byte());
        reader.UInt32();
        return literal.Body[reader.Position..];
    }
}
