using System.Text;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>image cat-manifest</c>: shows an image's manifest in appc's form.</summary>
static class ImageCatManifestCommand
{
    static readonly Option Pretty = new("pretty-print", null, "indent the JSON (true)");

    public static readonly Command Definition = new("image cat-manifest", "[FLAGS] IMAGE", "show an image's manifest", [Pretty], Run)
    {
        Description = StoreImages.Meaning + " Of an OCI image it is what pods get: its config in appc's terms.",
    };

    static int Run(Invocation invocation)
    {
        using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
        var name = invocation.Words is [var only] ? only : throw new UserException("image cat-manifest: name one image");
        Output.Line(Encoding.UTF8.GetString(AppImage.Read(store, StoreImages.Find(store, name)).Manifest.ToJson(invocation.Is(Pretty, otherwise: true))));
        return 0;
    }
}
