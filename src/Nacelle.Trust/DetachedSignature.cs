using Nacelle.Specs;
using Org.BouncyCastle.Bcpg.OpenPgp;

namespace Nacelle.Trust;

/// <summary>Checks a signature that lies beside what it signs.</summary>
/// <remarks>RFC 9580, 10.4, "Detached Signatures".</remarks>
public static class DetachedSignature
{
    const int BufferSize = 256 * 1024, LargestText = 1 << 20, MostSignatures = 32;

    /// <summary>Reads the content once. Of several signatures one good one is enough; where none is, the most telling verdict counts.</summary>
    /// <param name="signature">Armored or binary.</param>
    /// <param name="source">Where the signature comes from, for messages.</param>
    /// <param name="keys">Those that are trusted.</param>
    /// <exception cref="SpecException">There is no signature in it, or it is malformed.</exception>
    public static SignatureVerdict Verify(byte[] signature, string source, Stream content, IReadOnlyList<OpenPgpKey> keys, DateTimeOffset now, CancellationToken cancellation = default)
    {
        var signatures = Read(signature, source);
        var checks = OpenPgpPackets.Guard(source, () => signatures.ConvertAll(one => new OpenPgpSignature(one, keys)));
        var buffer = new byte[BufferSize];
        for (int count; (count = content.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            checks.ForEach(check => check.Update(buffer, count));
        }

        return OpenPgpPackets.Guard(source, () => checks.ConvertAll(check => check.Judge(now))).MinBy(verdict => verdict.Status switch
        {
            SignatureStatus.Good => 0,
            SignatureStatus.UnknownKey => 2,
            _ => 1,
        })!;
    }

    static List<PgpSignature> Read(byte[] text, string source)
    {
        if (text.Length > LargestText)
        {
            throw new SpecException("", $"has {text.Length} bytes; a signature has at most {LargestText}").In(source);
        }

        var signatures = OpenPgpPackets.Read(text, source).OfType<PgpSignatureList>().SelectMany(list => list.Each()).Take(MostSignatures).ToList();
        return signatures.Count > 0 ? signatures : throw new SpecException("", "holds no detached OpenPGP signature").In(source);
    }
}
