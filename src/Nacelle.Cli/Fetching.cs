using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary>Finds the images of a pod in the store, and has those fetched that are missing.</summary>
/// <remarks>What speaks to registries is an executable of its own, so that running a stored image does not pay for it.</remarks>
static class Fetching
{
    /// <param name="images">As they are named, each with the file that holds its signature, where one was given.</param>
    public static IReadOnlyList<AppImage> FindAll(Invocation invocation, ImageStore store, IEnumerable<(string Name, string? Signature)> images)
    {
        var policy = PullPolicyFlags.Of(invocation, PodFlags.PullPolicy, "new");
        return [.. images.Select(named =>
        {
            var (text, signature) = (Distribution.Usual(named.Name), named.Signature);
            var image = (policy == "update" && IsName(text) ? null : RegistriesConfiguration.FindStored(store, text))
                ?? (policy != "never" && IsName(text) ? Fetch(invocation, store, text, [$"--pull-policy={policy}"], signature is null ? [] : [$"--signature={signature}"]) : null)
                ?? throw new UserException($"the image '{text}' is not in the store{(IsName(text) ? "" : "; to fetch it say where from, as in docker://" + text)}");
            if (invocation.Is(PodFlags.VerifyImages) && !GlobalFlags.IsInsecure(invocation, "ondisk"))
            {
                FetchProgram.Run(["image", "verify", "--only-check", .. GlobalFlags.Repeat(invocation), image.Name]);
            }

            store.MarkUsed(image);
            return AppImage.Read(store, image);
        })];
    }

    static bool IsName(string text) => (text.Contains(':') && !text.StartsWith("sha256:", StringComparison.Ordinal) && !text.StartsWith("sha512:", StringComparison.Ordinal))
        || text.StartsWith('/') || text.StartsWith('.') || text.EndsWith(".aci", StringComparison.Ordinal) || AppcImageName.LooksLikeOne(text);

    static StoredImage? Fetch(Invocation invocation, ImageStore store, string text, string[] flags, string[] flagsOfImage)
    {
        var id = FetchProgram.Run(["fetch", .. GlobalFlags.Repeat(invocation), .. flags, "--full", text, .. flagsOfImage]).Trim();
        return RegistriesConfiguration.FindStored(store, text) ?? store.Find(id);
    }
}
