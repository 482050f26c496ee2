using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>image rm</c>: takes images out of the store.</summary>
static class ImageRemoveCommand
{
    public static readonly Command Definition = new("image rm", "IMAGE…", "remove images from the store", [], Run)
    {
        Description = StoreImages.Meaning + " Layers that pods use stay until those are gone.",
    };

    static int Run(Invocation invocation)
    {
        var data = GlobalFlags.DataDirectory(invocation);
        using var store = ImageStore.Open(data);
        using var pods = new PodStore(data);
        return StoreImages.ForEach(invocation, store, image =>
        {
            store.Remove(image, () => PodCollection.LayersInUse(pods));
            Output.Line($"successfully removed image {image.ShortId} ({image.DisplayName})");
        });
    }
}
