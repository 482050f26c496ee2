using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>image rm</c>: takes images out of the store.</summary>
static class ImageRemoveCommand
{
    public static readonly Command Definition = new("image rm", "IMAGE…", "remove images from the store", [], Run)
    {
        Description = "IMAGE is a name as listed, or an id or its unique beginning. Layers that pods use stay until those are gone.",
    };

    static int Run(Invocation invocation)
    {
        if (invocation.Words.Count == 0)
        {
            throw new UserException("name at least one image");
        }

        var data = GlobalFlags.DataDirectory(invocation);
        using var store = ImageStore.Open(data);
        using var pods = new PodStore(data);
        int exit = 0;
        foreach (var name in invocation.Words)
        {
            try
            {
                var image = store.Find(name) ?? throw new UserException($"the image '{name}' is not in the store");
                store.Remove(image, () => PodCollection.LayersInUse(pods));
                Output.Line($"successfully removed image {image.ShortId} ({image.DisplayName})");
            }
            catch (Exception problem) when (problem is UserException or ImageException)
            {
                Output.Error(problem.Message);
                exit = 254;
            }
        }

        return exit;
    }
}
