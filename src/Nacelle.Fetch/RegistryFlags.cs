using Nacelle.CommandLine;
using Nacelle.Images;

namespace Nacelle.Fetch;

/// <summary>What the global flags say about speaking to registries.</summary>
static class RegistryFlags
{
    public static RegistryOptions Of(Invocation invocation) => new()
    {
        InsecureHttp = GlobalFlags.IsInsecure(invocation, "http"),
        InsecureTls = GlobalFlags.IsInsecure(invocation, "tls"),
        Registries = RegistriesConfiguration.Load(),
    };
}
