using System.Net.Http.Headers;
using System.Text;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Tells a host that gives files by their addresses who asks, as the configuration says.</summary>
static class HostAuthorization
{
    /// <param name="hosts">As <see cref="RegistryOptions.Hosts"/>.</param>
    public static void Apply(HttpRequestMessage request, IReadOnlyDictionary<string, HostCredential> hosts, DateTimeOffset now)
    {
        switch (Find(request.RequestUri!, hosts))
        {
            case HostCredential.Basic basic:
                var pair = Encoding.UTF8.GetBytes($"{basic.User}:{basic.Password}");
                request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(pair));
                break;
            case HostCredential.Token token:
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Value);
                break;
            case HostCredential.Aws key:
                AwsSignature.Sign(request, key, now);
                break;
        }
    }

    internal static HostCredential? Find(Uri address, IReadOnlyDictionary<string, HostCredential> hosts) =>
        hosts.GetValueOrDefault($"{address.Host}:{address.Port}") ?? (address.IsDefaultPort ? hosts.GetValueOrDefault(address.Host) : null);
}
