using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Fetch;

/// <summary><c>fetch</c>: brings images into the store and prints the id of each.</summary>
static class FetchCommand
{
    static readonly Option Policy = new("pull-policy", "update|new|never", "when to ask the registry (update: always)");
    internal static readonly Option ForPlatform = new("platform", "OS/ARCH[/VARIANT]", "fetch for this platform instead of this machine's");
    static readonly Option Full = new("full", null, "print the whole id");

    public static readonly Command Definition = new("fetch", "[FLAGS] IMAGE…", "fetch images into the store", [Policy, ForPlatform, Full], Run)
    {
        Description = "Prints the id of each image. IMAGE is docker://[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], oci:PATH[:TAG],\noci-archive:PATH[:TAG], docker-archive:PATH[:REFERENCE], a path that begins with / or ./ or ends in .aci, the URL of an ACI,\nor an appc name, HOST/PATH[:VERSION][,LABEL=VALUE…], whose pages tell where it is.",
    };

    static int Run(Invocation invocation)
    {
        if (invocation.Words.Count == 0)
        {
            throw new UserException("name at least one image; see nacelle help fetch");
        }

        bool debug = invocation.Is(GlobalFlags.Debug), full = invocation.Is(Full);
        var options = FetchFlags.Of(invocation) with { PullPolicy = ParsePolicy(invocation.Value(Policy) ?? "update"), Platform = PlatformOf(invocation) };
        return Interruptible.Run("what was downloaded is kept, and the next fetch goes on from there", async cancellation =>
        {
            using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
            foreach (string text in invocation.Words)
            {
                ProgressBars? bars = null;
                var progress = new FetchProgress { Note = debug ? Output.Error : null, Tell = line => bars?.Tell(line + "\n") };
                StoredImage image;
                await using (bars = ProgressBars.Show(progress, enabled: !debug))
                {
                    var asking = options with { AcceptKeys = offer => KeyReview.Accept(invocation, offer, text => bars.Tell(text + "\n")) };
                    image = await new ImageFetcher(store, asking, progress).FetchAsync(text, cancellation);
                }

                Output.Line(full ? image.Id.FileName : image.ShortId);
            }
        });
    }

    static PullPolicy ParsePolicy(string text) => text switch
    {
        "new" => PullPolicy.New,
        "update" => PullPolicy.Update,
        "never" => PullPolicy.Never,
        _ => throw new UserException($"--pull-policy is new, update or never, not '{text}'"),
    };

    internal static Platform PlatformOf(Invocation invocation)
    {
        try
        {
            return invocation.Value(ForPlatform) is { } text ? Platform.Parse(text) : Platform.Current;
        }
        catch (SpecException failure)
        {
            throw new UserException($"--platform: {failure.Message}");
        }
    }
}
