using System.Security.Cryptography;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>A signature in a file of its own.</summary>
public sealed class DetachedSignature
{
    /// <summary>In bytes; a longer file is refused.</summary>
    public const int LargestFile = 1 << 20;

    const int MostSignatures = 32;

    DetachedSignature(List<SignaturePacket> signatures) => Signatures = signatures;

    internal List<SignaturePacket> Signatures { get; }

    /// <summary>The key that each signature says it is by: a fingerprint or the last 16 digits of it.</summary>
    public IEnumerable<string> Issuers => Signatures.Select(signature => signature.Issuer);

    /// <summary>Reads the content once. Of several signatures one good one is enough; where none is, the most telling verdict counts.</summary>
    /// <param name="signature">Armored or binary.</param>
    /// <param name="source">Where the signature comes from, for messages.</param>
    /// <param name="keys">Those that are trusted.</param>
    /// <exception cref="SpecException">There is no signature in it, or it is malformed; says where.</exception>
    public static SignatureVerdict Verify(
        byte[] signature, string source, Stream content, IReadOnlyList<OpenPgpKey> keys, DateTimeOffset now, CancellationToken cancellation = default)
    {
        var parsed = Parse(signature, source);
        using var data = new SignedData(parsed);
        data.Update(content, cancellation);
        return data.Judge(parsed, keys, now);
    }

    /// <summary>Reads a file of one or more signatures, armored or binary.</summary>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <exception cref="SpecException">No signature, or damaged; says where.</exception>
    public static DetachedSignature Parse(ReadOnlyMemory<byte> file, string source)
    {
        try
        {
            return Parse(file);
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    internal static DetachedSignature Parse(ReadOnlyMemory<byte> file)
    {
        var packets = OpenPgpPacket.ReadAll(OpenPgpArmor.Decode(file, LargestFile));
        packets.RemoveAll(packet => packet.Tag is PacketTag.Marker or PacketTag.Padding);
        return packets.Count == 0 ? throw new SpecException("", "holds no signature")
            : packets.Count > MostSignatures ? throw new SpecException(packets[MostSignatures].Place, $"there are more than {MostSignatures} signatures")
            : packets.Find(packet => packet.Tag != PacketTag.Signature) is { Body.Length: > 0 } other
                ? throw new SpecException(other.Place, "is no detached signature: it holds something else than signatures")
            : new DetachedSignature(packets.ConvertAll(SignaturePacket.Parse));
    }
}

/// <summary>
/// Data on its way past, to be checked against a signature that is known before or comes after: <see cref="Update"/> takes the data in any pieces;
/// then <see cref="Judge"/> tells.
/// </summary>
/// <remarks>Keeps one state per hash algorithm and nothing of the data. RFC 9580, 5.2.4.</remarks>
public sealed class SignedData : IDisposable
{
    static readonly HashAlgorithmName[] Accepted = [HashAlgorithmName.SHA256, HashAlgorithmName.SHA384, HashAlgorithmName.SHA512];

    readonly Dictionary<HashAlgorithmName, IncrementalHash> hashes;

    /// <param name="signature">Where it is known already, only what it needs is computed; null: all that a signature may use.</param>
    public SignedData(DetachedSignature? signature = null) =>
        hashes = Accepted.Where(name => signature is null || signature.Signatures.Exists(one => one.Hash == name)).ToDictionary(name => name, IncrementalHash.CreateHash);

    public void Update(ReadOnlySpan<byte> data)
    {
        foreach (var hash in hashes.Values)
        {
            hash.AppendData(data);
        }
    }

    /// <summary>Reads a stream to its end.</summary>
    public void Update(Stream data, CancellationToken cancellation = default)
    {
        var buffer = new byte[128 * 1024];
        for (int count; (count = data.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            Update(buffer.AsSpan(0, count));
        }
    }

    /// <summary>Checks the data so far against the signature; may be asked several times, for other keys too.</summary>
    /// <param name="signature">The one given at the start, if one was.</param>
    /// <returns>A good signature's verdict if there is any; else the one that tells most.</returns>
    public SignatureVerdict Judge(DetachedSignature signature, IReadOnlyList<OpenPgpKey> keys, DateTimeOffset now)
    {
        SignatureVerdict? best = null;
        foreach (var one in signature.Signatures)
        {
            var verdict = Judge(one, keys, now);
            if (verdict.IsGood)
            {
                return verdict;
            }

            best = best is null || best.Status == SignatureStatus.UnknownKey ? verdict : best;
        }

        return best!;
    }

    public void Dispose()
    {
        foreach (var hash in hashes.Values)
        {
            hash.Dispose();
        }
    }

    internal SignatureVerdict Judge(SignaturePacket signature, IReadOnlyList<OpenPgpKey> keys, DateTimeOffset now)
    {
        foreach (var key in keys)
        {
            if (key.Find(signature) is { } signer)
            {
                var (status, reason) = Check(signature, key, signer, now);
                return new SignatureVerdict(status, key, reason) { Signer = signer.Fingerprint, Created = signature.Created };
            }
        }

        return new SignatureVerdict(SignatureStatus.UnknownKey, null, $"was made by the key {signature.Issuer.ToUpperInvariant()}, which is not trusted")
        {
            Signer = signature.Issuer,
            Created = signature.Created,
        };
    }

    (SignatureStatus Status, string Reason) Check(SignaturePacket signature, OpenPgpKey key, PublicKey signer, DateTimeOffset now)
    {
        string made = $"was made by {key}";
        if (signature.Type != SignatureType.Binary)
        {
            return (SignatureStatus.Bad, signature.Type == SignatureType.Text ? "is over text, not over bytes" : $"is of kind 0x{(int)signature.Type:x2}, not over data");
        }

        if (signature.Objection is { } objection)
        {
            return (SignatureStatus.Bad, $"is bad: it {objection}");
        }

        if (signature.Hash is not { } algorithm || !hashes.TryGetValue(algorithm, out var state))
        {
            return (SignatureStatus.Weak, $"uses {signature.HashName}, which is {(signature.HashNumber <= 3 ? "too weak" : "not supported")}");
        }

        if (signer.Material.Unusable is { } weakness)
        {
            return (SignatureStatus.Weak, $"{made}: {weakness}");
        }

        using var hash = state.Clone();
        hash.AppendData(signature.Trailer);
        if (signature.KeyAlgorithm != signer.Material.Algorithm || !SignatureCheck.Holds(signer.Material, algorithm, hash.GetHashAndReset(), signature.Numbers.Span))
        {
            return (SignatureStatus.Bad, $"is bad: it is not by {key} over this content");
        }

        var created = signature.Created!.Value;
        return key.ObjectionTo(signer, now) is { } against ? (against.Status, $"{made}, {against.Reason}")
            : created > now + OpenPgpTime.Leeway ? (SignatureStatus.NotInTime, $"is from the future: {OpenPgpTime.Text(created)}")
            : created < signer.Created ? (SignatureStatus.NotInTime, "is older than its key")
            : signature.Lifetime is { } lifetime && created + lifetime <= now ? (SignatureStatus.NotInTime, $"expired {OpenPgpTime.Text(created + lifetime)}")
            : (SignatureStatus.Good, made);
    }
}
