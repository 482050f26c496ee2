using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Signs requests without a body to Amazon's S3, and to what speaks like it.</summary>
/// <remarks>Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".</remarks>
static class AwsSignature
{
    const string Algorithm = "AWS4-HMAC-SHA256", Service = "s3", UsualRegion = "us-east-1";
    const string EmptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; // SHA-256 of nothing

    public static void Sign(HttpRequestMessage request, HostCredential.Aws key, DateTimeOffset now)
    {
        var address = request.RequestUri!;
        var time = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{time[..8]}/{key.Region ?? RegionOf(address.Host)}/{Service}/aws4_request";
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", EmptyBody);
        request.Headers.TryAddWithoutValidation("x-amz-date", time);

        List<(string Name, string Value)> headers = [("host", address.IsDefaultPort ? address.IdnHost : $"{address.IdnHost}:{address.Port}")];
        if (request.Headers.Range is { } range)
        {
            headers.Add(("range", range.ToString()));
        }

        headers.Add(("x-amz-content-sha256", EmptyBody));
        headers.Add(("x-amz-date", time));
        var names = string.Join(';', headers.Select(header => header.Name));
        var canonical = $"{request.Method}\n{CanonicalPath(address)}\n{CanonicalQuery(address)}\n{string.Concat(headers.Select(header => $"{header.Name}:{header.Value}\n"))}\n{names}\n{EmptyBody}";
        var toSign = $"{Algorithm}\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";

        var secret = Encoding.UTF8.GetBytes("AWS4" + key.SecretAccessKey);
        foreach (var part in scope.Split('/').Append(toSign))
        {
            secret = HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(part));
        }

        request.Headers.Authorization = new AuthenticationHeaderValue(
            Algorithm, $"Credential={key.AccessKeyId}/{scope},SignedHeaders={names},Signature={Convert.ToHexStringLower(secret)}");
    }

    /// <summary>The region that a host of Amazon's names: <c>s3.REGION.amazonaws.com</c>, <c>s3-REGION.…</c>, with a bucket before it or without.</summary>
    internal static string RegionOf(string host)
    {
        var labels = host.ToLowerInvariant().Split('.');
        int amazon = Array.LastIndexOf(labels, "amazonaws");
        var nearest = amazon > 0 ? labels[amazon - 1] : "s3";
        return nearest is "s3" or "s3-external-1" ? UsualRegion
            : nearest.StartsWith("s3-", StringComparison.Ordinal) ? nearest[3..]
            : labels.AsSpan(0, amazon - 1).Contains("s3") ? nearest : UsualRegion;
    }

    static string CanonicalPath(Uri address) => string.Join('/', address.AbsolutePath.Split('/').Select(Canonical));

    static string CanonicalQuery(Uri address) => string.Join('&', address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('=', 2))
        .Select(pair => $"{Canonical(pair[0])}={(pair.Length == 2 ? Canonical(pair[1]) : "")}")
        .Order(StringComparer.Ordinal));

    static string Canonical(string text) => Uri.EscapeDataString(Uri.UnescapeDataString(text));
}
