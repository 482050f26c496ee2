using Nacelle.CommandLine;
using Nacelle.Images;

namespace Nacelle.Fetch;

/// <summary>What the global flags and the configuration say about speaking to registries.</summary>
static class RegistryFlags
{
    public static RegistryOptions Of(Invocation invocation)
    {
        var configuration = Configuration.Read(GlobalFlags.ConfigDirectories(invocation), "auth.d");
        return new()
        {
            InsecureHttp = GlobalFlags.IsInsecure(invocation, "http"),
            InsecureTls = GlobalFlags.IsInsecure(invocation, "tls"),
            Registries = RegistriesConfiguration.Load(),
            Hosts = configuration.Hosts,
            RegistryHosts = configuration.Registries,
        };
    }

    /// <summary>As <see cref="Of"/>, for those who offer public keys.</summary>
    public static RegistryOptions ForKeys(Invocation invocation)
    {
        var registry = Of(invocation);
        bool insecure = GlobalFlags.IsInsecure(invocation, "pubkey");
        return registry with { InsecureHttp = registry.InsecureHttp || insecure, InsecureTls = registry.InsecureTls || insecure };
    }
}
