using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>image verify</c>: reads an image's blobs and files again, and mends what is not as its digests say.</summary>
static class ImageVerifyCommand
{
    public static readonly Command Definition = new("image verify", "IMAGE…", "check images in the store, and mend them", [], Run)
    {
        Description = StoreImages.Meaning + "\nEvery layer is unpacked once more and compared; one that differs is replaced, unless a pod uses it.",
    };

    static int Run(Invocation invocation)
    {
        var data = GlobalFlags.DataDirectory(invocation);
        using var store = ImageStore.Open(data);
        using var pods = new PodStore(data);
        int exit = 0;
        int failed = StoreImages.ForEach(invocation, store, image =>
        {
            bool intact = true;
            foreach (var (layer, state) in ImageVerification.Verify(store, image, PodCollection.LayersInUse(pods)))
            {
                intact &= state == LayerState.Intact;
                if (state == LayerState.Damaged)
                {
                    exit = CommandProgram.OwnError;
                    Output.Error($"layer {layer} of {image.DisplayName} is not as its archive says; pods use it, so it stays: remove them and verify again");
                }
                else if (state == LayerState.Rebuilt)
                {
                    Output.Line($"layer {layer} of {image.DisplayName} was not as its archive says: rebuilt");
                }
            }

            if (intact)
            {
                Output.Line($"successfully verified checksum for image: \"{image.DisplayName}\" (\"{image.Id.FileName}\")");
            }
        });
        return Math.Max(exit, failed);
    }
}
