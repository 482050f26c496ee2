using System.Net.Http.Headers;

namespace Nacelle.Images;

/// <summary>A request to a registry, kept so that it can be made again.</summary>
/// <param name="Path">What follows <c>/v2/REPOSITORY/</c>.</param>
sealed record RegistryRequest(HttpMethod Method, RegistryScope Scope, string Path)
{
    /// <summary>Where the registry said to go on, in place of <see cref="Path"/>; the credential travels there only when it is the registry itself.</summary>
    public Uri? Location { get; init; }

    public Action<HttpRequestHeaders>? Headers { get; init; }

    /// <summary>Makes the body, once for each time that the request is sent.</summary>
    public Func<CancellationToken, Task<HttpContent>>? Content { get; init; }
}
