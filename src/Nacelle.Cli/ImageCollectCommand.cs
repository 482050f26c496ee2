using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>image gc</c>: removes images that nobody has used for long, and what no image needs.</summary>
static class ImageCollectCommand
{
    static readonly Option Grace = new("grace-period", "DURATION", "keep images that were used within this time (24h)");

    public static readonly Command Definition = new("image gc", "[FLAGS]", "remove images that were not used for long", [Grace], Run)
    {
        Description = "Images of pods that are not removed yet stay.",
    };

    static int Run(Invocation invocation)
    {
        var data = GlobalFlags.DataDirectory(invocation);
        using var store = ImageStore.Open(data);
        using var pods = new PodStore(data);
        var oldest = DateTimeOffset.UtcNow - Durations.Of(invocation, Grace, TimeSpan.FromHours(24));
        var inUse = PodCollection.ImagesInUse(pods);
        foreach (var image in store.List().Where(image => image.LastUsed <= oldest && !inUse.Contains(image.Id)))
        {
            store.Remove(image, () => PodCollection.LayersInUse(pods));
            Output.Line($"successfully removed image {image.ShortId} ({image.DisplayName})");
        }

        if (!store.Collect(() => PodCollection.LayersInUse(pods), TimeSpan.FromHours(24)))
        {
            Output.Error("somebody is fetching or preparing just now: what images have left behind stays until the next time");
        }

        return 0;
    }
}
