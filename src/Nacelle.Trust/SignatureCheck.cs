using System.Security.Cryptography;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>The arithmetic of a signature, for numbers that anybody may have written.</summary>
static class SignatureCheck
{
    public static bool Holds(KeyMaterial key, HashAlgorithmName algorithm, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> numbers)
    {
        try
        {
            return key.Verify(algorithm, hash, numbers);
        }
        catch (Exception failure) when (failure is SpecException or CryptographicException or ArgumentException)
        {
            // A point that is not on its curve, a number that is cut short: no signature.
            return false;
        }
    }
}
