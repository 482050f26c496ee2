using CsCheck;
using Nacelle.Specs;
using static Nacelle.Trust.Tests.KeyForge;

namespace Nacelle.Trust.Tests;

/// <summary>Real keys and signatures, changed in a few places: read or refused by one line, and never accepted.</summary>
public sealed class OpenPgpMutationTests : IDisposable
{
    static readonly byte[] Data = "some data"u8.ToArray();

    readonly Gnupg gpg = new();
    readonly byte[] keys, armored, detached, inline;

    public OpenPgpMutationTests()
    {
        string key = gpg.MakeKey("Signer <signer@example.com>", usage: "cert");
        gpg.AddSubkey(key);
        keys = gpg.Export(key, armor: false);
        armored = gpg.Export(key);
        detached = gpg.Sign(Data, key, armor: false);
        inline = gpg.SignInline(Data, key, "--compress-algo", "none");
    }

    public void Dispose() => gpg.Dispose();

    /// <summary>Sets, removes, doubles or cuts at a few places.</summary>
    internal static Gen<byte[]> Mutate(byte[] real) =>
        Gen.Select(Gen.Int[0, real.Length - 1], Gen.Byte, Gen.Int[0, 4]).Array[1, 5].Select(changes =>
        {
            var bytes = real.ToList();
            foreach (var (at, value, kind) in changes)
            {
                int place = Math.Min(at, bytes.Count - 1);
                switch (kind)
                {
                    case 0: bytes[place] = value; break;
                    case 1 when bytes.Count > 1: bytes.RemoveAt(place); break;
                    case 2: bytes.Insert(place, value); break;
                    case 3: bytes[place] ^= (byte)(1 << (value & 7)); break;
                    case 4 when value < 32 && place > 0: bytes.RemoveRange(place, bytes.Count - place); break;
                }
            }

            return bytes.ToArray();
        });

    static void OneLine(Action read)
    {
        try
        {
            read();
        }
        catch (SpecException problem)
        {
            Assert.DoesNotContain(problem.Message, char.IsControl);
        }
    }

    SignatureVerdict Judge(byte[] signature, byte[] ring, byte[] data)
    {
        var parsed = DetachedSignature.Parse(signature);
        using var signed = new SignedData(parsed);
        signed.Update(data);
        return signed.Judge(parsed, OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)ring), DateTimeOffset.UtcNow);
    }

    [Fact]
    public void Changed_keys_are_read_or_refused() => Mutate(keys).Sample(bytes => OneLine(() =>
    {
        foreach (var key in OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)bytes))
        {
            Assert.Equal(40, key.Fingerprint.Length);
            Assert.NotNull(key.UserIds);
            Assert.NotNull(key.Subkeys);
        }

        Judge(detached, bytes, Data);
    }), iter: 10_000);

    [Fact]
    public void Changed_armor_is_read_or_refused() => Mutate(armored).Sample(bytes => OneLine(() => OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)bytes)), iter: 10_000);

    [Fact]
    public void A_changed_signature_never_holds_for_other_data() =>
        Mutate(detached).Sample(bytes => OneLine(() => Assert.False(Judge(bytes, keys, "other data"u8.ToArray()).IsGood)), iter: 10_000);

    [Fact]
    public void A_changed_message_holds_only_for_its_own_text() => Mutate(inline).Sample(bytes => OneLine(() =>
    {
        if (SignedMessage.Parse(bytes).Verify(OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)keys), DateTimeOffset.UtcNow, out var text).IsGood)
        {
            Assert.Equal(Data, text.ToArray());
        }
    }), iter: 10_000);

    [Fact]
    public void Lengths_that_lie_make_nobody_allocate()
    {
        byte[][] liars = [[0xC6, 255, 0x7F, 0xFF, 0xFF, 0xFF, 4], [0x9A, 0xFF, 0xFF, 0xFF, 0xFF], [0xCB, 254], [0xC8, 0xFE, 1], [0xC2, 6, 4, 0, 1, 8, 0xFF, 0xFF]];
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var liar in liars)
        {
            Assert.Throws<SpecException>(() => OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)liar));
            Assert.Throws<SpecException>(() => DetachedSignature.Parse(liar));
            Assert.Throws<SpecException>(() => SignedMessage.Parse(liar));
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }
}
