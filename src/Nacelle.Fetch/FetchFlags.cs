using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Trust;

namespace Nacelle.Fetch;

/// <summary>What the global flags and the configuration say about bringing images into the store: whom to trust, and how to speak to registries.</summary>
static class FetchFlags
{
    public static FetchOptions Of(Invocation invocation)
    {
        bool insecure = GlobalFlags.IsInsecure(invocation, "image");
        return new()
        {
            InsecureImage = insecure,
            Policy = insecure ? null : TrustPolicy.Find(GlobalFlags.ConfigDirectories(invocation)),
            Keys = new KeyStore(GlobalFlags.ConfigDirectories(invocation)),
            Registry = RegistryFlags.Of(invocation),
            KeyRegistry = RegistryFlags.ForKeys(invocation),
        };
    }
}
