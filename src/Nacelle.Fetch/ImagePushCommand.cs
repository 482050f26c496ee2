using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Fetch;

/// <summary><c>image push</c>: sends an image from the store to a registry, or writes it to a layout or an archive.</summary>
static class ImagePushCommand
{
    public static readonly Command Definition = new("image push", "[FLAGS] IMAGE [DESTINATION]", "send an image from the store to a registry", [FetchCommand.ForPlatform, .. CopyFlags.All], Run)
    {
        Description = "IMAGE is the name or id of an image in the store. DESTINATION is where image copy may write it; without a scheme it is a registry's,\nand left out it is the image's own name. Prints the digest that the destination's name then stands for.",
    };

    static int Run(Invocation invocation)
    {
        if (invocation.Words is not ([_] or [_, _]))
        {
            throw new UserException("name an image of the store, and perhaps where it shall go; see nacelle help image push");
        }

        string image = invocation.Words[0];
        string destination = invocation.Words is [_, var to] ? to : OwnName(invocation, image);
        return ImageCopyCommand.Copy(invocation, CopyFlags.Copy(invocation), ImageSource.StorePrefix + image, ImageCopyCommand.HasScheme(destination) ? destination : "docker://" + destination);
    }

    static string OwnName(Invocation invocation, string image)
    {
        using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
        var found = store.Find(Distribution.Usual(image)) ?? throw new UserException($"the image '{image}' is not in the store");
        return found.Name.StartsWith("docker://", StringComparison.Ordinal) ? found.Name
            : throw new UserException($"{found.DisplayName} did not come from a registry: say where it shall go");
    }
}
