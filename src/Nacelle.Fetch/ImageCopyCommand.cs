using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Fetch;

/// <summary><c>image copy</c>: copies an image from one place to another.</summary>
static class ImageCopyCommand
{
    static readonly Option All = new("all", null, "copy the images for all platforms, with the index that lists them");
    static readonly Option Preserve = new("preserve-digests", null, "fail where a manifest would have to be changed");

    public static readonly Command Definition = new(
        "image copy", "[FLAGS] SOURCE DESTINATION", "copy an image between registries, the store, layouts and archives",
        [FetchCommand.ForPlatform, All, Preserve, .. CopyFlags.All], Run)
    {
        Description = "Both are docker://[HOST[:PORT]/]REPOSITORY[:TAG], oci:PATH[:TAG], oci-archive:PATH[:TAG], docker-archive:PATH[:REFERENCE], or\nstore:NAME; a source without a scheme is in the store. Prints the digest that the destination's name then stands for.",
    };

    static int Run(Invocation invocation) => invocation.Words is [var from, var to]
        ? Copy(invocation, CopyFlags.Copy(invocation) with { AllPlatforms = invocation.Is(All), PreserveDigests = invocation.Is(Preserve) }, from, to)
        : throw new UserException("name a source and a destination; see nacelle help image copy");

    internal static bool HasScheme(string place) =>
        Schemes.Any(scheme => place.StartsWith(scheme, StringComparison.Ordinal)) || place.StartsWith('/') || place.StartsWith('.');

    static readonly string[] Schemes = ["docker:", "oci:", "oci-archive:", "docker-archive:", "file://", ImageSource.StorePrefix];

    internal static int Copy(Invocation invocation, CopyOptions options, string from, string to)
    {
        bool debug = invocation.Is(GlobalFlags.Debug);
        var fetch = FetchFlags.Of(invocation);
        return Interruptible.Run("blobs that have arrived stay where they are, and are not sent again", async cancellation =>
        {
            using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
            var progress = new FetchProgress { Note = debug ? Output.Error : null };
            Descriptor copied;
            await using (ProgressBars.Show(progress, enabled: !debug))
            {
                copied = await new ImageCopier(store, options, fetch, CopyFlags.Push(invocation), progress).CopyAsync(from, to, cancellation);
            }

            Output.Line($"{copied.Digest}");
        });
    }
}
