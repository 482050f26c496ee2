using Nacelle.CommandLine;
using Nacelle.Images;

namespace Nacelle.Cli;

/// <summary><c>image export</c>: writes an image from the store into a file.</summary>
static class ImageExportCommand
{
    static readonly Option Overwrite = new("overwrite", null, "replace the file");

    public static readonly Command Definition = new("image export", "[FLAGS] IMAGE FILE", "write an image into a file", [Overwrite], Run)
    {
        Description = StoreImages.Meaning + " An appc image becomes an ACI, an OCI image an OCI archive.",
    };

    static int Run(Invocation invocation)
    {
        using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
        var (image, file) = StoreImages.ImageAndPath(invocation);
        ImageArchive.Write(store, StoreImages.Find(store, image), file, invocation.Is(Overwrite));
        return 0;
    }
}
