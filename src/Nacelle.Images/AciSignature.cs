using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>The signature of an ACI.</summary>
sealed class AciSignature
{
    /// <exception cref="ImageException">There is none.</exception>
    public static AciSignature Check(FileDescriptor file, string source, byte[]? signature, CancellationToken cancellation) =>
        throw new ImageException($"{source} cannot be trusted: use --insecure-options=image to take it unsigned");

    public void Require(string name, string source, FetchProgress progress)
    {
    }
}
