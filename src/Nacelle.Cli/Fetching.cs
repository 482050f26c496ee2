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
    public static IReadOnlyList<AppImage> FindAll(Invocation invocation, ImageStore store, IEnumerable<string> images)
    {
        var policy = invocation.Value(PodFlags.PullPolicy) ?? "new";
        if (policy is not ("new" or "update" or "never"))
        {
            throw new UserException($"--pull-policy={policy}: use new, update or never");
        }

        return [.. images.Select(text =>
        {
            var image = (policy == "update" && IsName(text) ? null : RegistriesConfiguration.FindStored(store, text))
                ?? (policy != "never" && IsName(text) ? Fetch(invocation, store, text, policy) : null)
                ?? throw new UserException($"the image '{text}' is not in the store{(IsName(text) ? "" : "; to fetch it say where from, as in docker://" + text)}");
            if (invocation.Is(PodFlags.VerifyImages))
            {
                ImageVerification.Require(store, image);
            }

            store.MarkUsed(image);
            return AppImage.Read(store, image);
        })];
    }

    static bool IsName(string text) => (text.Contains(':') && !text.StartsWith("sha256:", StringComparison.Ordinal) && !text.StartsWith("sha512:", StringComparison.Ordinal))
        || text.StartsWith('/') || text.StartsWith('.') || text.EndsWith(".aci", StringComparison.Ordinal) || AppcImageName.LooksLikeOne(text);

    static StoredImage? Fetch(Invocation invocation, ImageStore store, string text, string policy)
    {
        var id = FetchProgram.Run(["fetch", .. GlobalFlags.Repeat(invocation), $"--pull-policy={policy}", "--full", text]).Trim();
        return RegistriesConfiguration.FindStored(store, text) ?? store.Find(id);
    }
}
