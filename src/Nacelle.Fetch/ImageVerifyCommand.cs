using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Specs;
using Nacelle.Pods;

namespace Nacelle.Fetch;

/// <summary><c>image verify</c>: reads an image's blobs and files again, and mends what is not as its digests say.</summary>
static class ImageVerifyCommand
{
    static readonly Option OnlyCheck = new("only-check", null, "mend nothing, and read no more than it takes: the files of the layers");

    public static readonly Command Definition = new("image verify", "IMAGE…", "check images in the store, and mend them", [OnlyCheck], Run)
    {
        Description = """
            IMAGE is a name as listed, or an id or its unique beginning.
            Every layer is unpacked once more and compared; one that differs is replaced, unless a pod uses it.
            Where kernel and file system can, layers are sealed, so that pods cannot read what has changed.
            """,
    };

    static int Run(Invocation invocation)
    {
        var data = GlobalFlags.DataDirectory(invocation);
        using var store = ImageStore.Open(data);
        using var pods = new PodStore(data);
        int exit = invocation.Words.Count > 0 ? 0 : throw new UserException("name at least one image");
        foreach (var name in invocation.Words)
        {
            try
            {
                var image = store.Find(Distribution.Usual(name)) ?? throw new UserException($"the image '{name}' is not in the store");
                if (invocation.Is(OnlyCheck))
                {
                    ImageVerification.Require(store, image);
                }
                else
                {
                    exit = Math.Max(exit, Verify(store, image, pods));
                }
            }
            catch (Exception problem) when (problem is UserException or ImageException or LayerException)
            {
                Output.Error(problem.Message);
                exit = CommandProgram.OwnError;
            }
        }

        return exit;
    }

    static int Verify(ImageStore store, StoredImage image, PodStore pods)
    {
        int exit = 0;
        bool intact = true;
        foreach (var found in ImageVerification.Verify(store, image, PodCollection.LayersInUse(pods)))
        {
            intact &= found.State == LayerState.Intact;
            if (found.State == LayerState.Damaged)
            {
                exit = CommandProgram.OwnError;
                Output.Error($"layer {found.Layer} of {image.DisplayName} is not as its archive says ({found.Difference}); pods use it, so it stays: remove them and verify again");
            }
            else if (found.State == LayerState.Rebuilt)
            {
                Output.Line($"layer {found.Layer} of {image.DisplayName} was not as its archive says ({found.Difference}): rebuilt");
            }
        }

        if (intact)
        {
            Output.Line($"successfully verified checksum for image: \"{image.DisplayName}\" (\"{image.Id.FileName}\")");
        }

        return exit;
    }
}
