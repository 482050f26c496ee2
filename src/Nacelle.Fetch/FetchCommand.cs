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

    static readonly Option Signature = new("signature", "FILE", "the detached signature of the ACI before it, instead of the one beside the ACI");

    public static readonly Command Definition = Define("fetch");

    /// <summary>As rkt has it too.</summary>
    public static readonly Command OfImages = Define("image fetch") with { IsHidden = true };

    static Command Define(string name) => new(name, "[FLAGS] IMAGE…", "fetch images into the store", [Policy, ForPlatform, Full, Signature, .. PullPolicyFlags.Older], Run)
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
        var options = FetchFlags.Of(invocation) with { PullPolicy = Enum.Parse<PullPolicy>(PullPolicyFlags.Of(invocation, Policy, "update"), ignoreCase: true), Platform = PlatformOf(invocation) };
        return Interruptible.Run("what was downloaded is kept, and the next fetch goes on from there", async cancellation =>
        {
            using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
            foreach (var (text, signature) in Images(invocation))
            {
                ProgressBars? bars = null;
                var progress = new FetchProgress { Note = debug ? Output.Error : null, Tell = line => bars?.Tell(line + "\n") };
                StoredImage image;
                await using (bars = ProgressBars.Show(progress, enabled: !debug))
                {
                    var asking = options with { Signature = signature, AcceptKeys = offer => KeyReview.Accept(invocation, offer, text => bars.Tell(text + "\n")) };
                    image = await new ImageFetcher(store, asking, progress).FetchAsync(text, cancellation);
                }

                Output.Line(full ? image.Id.FileName : image.ShortId);
            }
        });
    }

    /// <summary>The images in their order, each with the file that the --signature behind it names.</summary>
    static List<(string Image, string? Signature)> Images(Invocation invocation)
    {
        var images = new List<(string Image, string? Signature)>();
        foreach (var token in invocation.Tokens)
        {
            if (token.Option is null)
            {
                images.Add((token.Text, null));
            }
            else if (token.Option == Signature)
            {
                images[^1] = images.Count == 0 ? throw new UserException("--signature goes behind the image that it is for") : (images[^1].Image, token.Text);
            }
        }

        return images;
    }

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
