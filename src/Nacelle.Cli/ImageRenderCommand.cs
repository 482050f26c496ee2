using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>image render</c> and <c>image extract</c>: write an image's files into a directory, with those of its dependencies or without.</summary>
static class ImageRenderCommand
{
    static readonly Option RootfsOnly = new("rootfs-only", null, "leave the manifest out: the directory becomes the root file system");
    static readonly Option Overwrite = new("overwrite", null, "remove the directory first, with all in it");

    public static readonly Command Render = new(
        "image render", "[FLAGS] IMAGE DIRECTORY", "write an image's files into a directory", [RootfsOnly, Overwrite], invocation => Run(invocation, image => image.Layers))
    {
        Description = StoreImages.Meaning + " The directory gets a manifest, and a rootfs with the files of the image and of all it depends on.",
    };

    public static readonly Command Extract = new(
        "image extract", "[FLAGS] IMAGE DIRECTORY", "write an image's own files into a directory", [RootfsOnly, Overwrite],
        invocation => Run(invocation, image => image.Image.IsAci ? [image.Image.Id] : image.Layers))
    {
        Description = StoreImages.Meaning + " The directory gets a manifest, and a rootfs with the image's files, without those of its dependencies.",
    };

    static int Run(Invocation invocation, Func<AppImage, IReadOnlyList<Digest>> layers)
    {
        using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
        var (name, directory) = StoreImages.ImageAndPath(invocation);
        var image = AppImage.Read(store, StoreImages.Find(store, name));
        ImageTree.Write(store, layers(image), directory, invocation.Is(RootfsOnly) ? null : image.Manifest.ToJson(), invocation.Is(Overwrite));
        return 0;
    }
}
