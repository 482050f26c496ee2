namespace Nacelle.Images;

/// <summary>What a request wants to do, in the words of which tokens are bought.</summary>
/// <param name="MountFrom">A second repository whose blobs are to be mounted into the first; null for none.</param>
/// <remarks>distribution.github.io, "Token Scope Documentation".</remarks>
readonly record struct RegistryScope(string Repository, bool Push = false, string? MountFrom = null)
{
    public bool Delete { get; init; }

    public IEnumerable<string> Texts => MountFrom is null ? [Own] : [Own, $"repository:{MountFrom}:pull"];

    string Own => $"repository:{Repository}:{(Delete ? "pull,push,delete" : Push ? "pull,push" : "pull")}";
}
