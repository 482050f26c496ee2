using System.Security.Cryptography;
using System.Text;
using Nacelle.Pods;

namespace Nacelle.Services;

/// <summary>What a pod signs: proof, for whoever asks the same service, that it was this pod who had something signed.</summary>
/// <remarks>appc 0.8.11, spec/ace.md, "Identity Endpoint": HMAC-SHA-512 in base64, here of the pod's UUID and the content, by the pod's own key.</remarks>
static class PodSignature
{
    public static string Sign(string uuid, PodRegistration registration, ReadOnlySpan<byte> content) => Convert.ToBase64String(Compute(uuid, registration, content));

    public static bool Verify(string uuid, PodRegistration registration, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        Span<byte> given = stackalloc byte[HMACSHA512.HashSizeInBytes];
        return Convert.TryFromBase64String(Encoding.Latin1.GetString(signature), given, out int length)
            && CryptographicOperations.FixedTimeEquals(given[..length], Compute(uuid, registration, content));
    }

    static byte[] Compute(string uuid, PodRegistration registration, ReadOnlySpan<byte> content)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, registration.Key);
        mac.AppendData(Encoding.ASCII.GetBytes(uuid));
        mac.AppendData(content);
        return mac.GetHashAndReset();
    }
}
