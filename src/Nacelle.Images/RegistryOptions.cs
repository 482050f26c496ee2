using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>How far a registry is trusted and how long it is waited for.</summary>
public sealed record RegistryOptions
{
    /// <summary>Plain http is allowed where https does not answer.</summary>
    public bool InsecureHttp { get; init; }

    /// <summary>Any TLS certificate is accepted.</summary>
    public bool InsecureTls { get; init; }

    /// <summary>Credentials for what is fetched by its address, by host, with the port where it is not the scheme's own; names in any case.</summary>
    public IReadOnlyDictionary<string, HostCredential> Hosts { get; init; } = new Dictionary<string, HostCredential>();

    /// <summary>Credentials by registry, which count before those in the user's files.</summary>
    public IReadOnlyDictionary<string, HostCredential.Basic> RegistryHosts { get; init; } = new Dictionary<string, HostCredential.Basic>();

    /// <summary>How long a credential helper may take; it may have to ask a person.</summary>
    public TimeSpan HelperTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a connection may stay without a byte.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The first pause before trying again; doubled each time, with jitter, up to 10 seconds.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often something is tried without any progress before it is given up.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>The credential to use for every host, instead of those in the user's files.</summary>
    public RegistryCredential? Credential { get; init; }

    /// <summary>Mirrors, blocked registries, short names, credential helpers.</summary>
    public RegistriesConfiguration Registries { get; init; } = RegistriesConfiguration.Empty;

    /// <summary>The same for a place that may be spoken to without TLS.</summary>
    internal RegistryOptions For(bool insecure) => insecure ? this with { InsecureHttp = true, InsecureTls = true } : this;

    internal static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10), LongestRetryAfter = TimeSpan.FromSeconds(60);

    /// <summary>The pause after the given number of failures in a row.</summary>
    internal TimeSpan DelayAfter(int failures)
    {
        double delay = Math.Min(RetryDelay.TotalMilliseconds * Math.Pow(2, failures - 1), LongestDelay.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(delay * (0.75 + (Random.Shared.NextDouble() / 2)));
    }
}
