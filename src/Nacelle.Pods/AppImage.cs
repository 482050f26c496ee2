using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What a pod needs of an image, whatever its format.</summary>
/// <param name="Layers">Of the root file system, the lowest first, by diff-id.</param>
/// <param name="EntryPoint">What stays when somebody gives arguments of their own: an OCI image's Entrypoint without its Cmd, an ACI's whole program.</param>
public sealed record AppImage(StoredImage Image, AppImageManifest Manifest, IReadOnlyList<Digest> Layers, IReadOnlyList<string> EntryPoint)
{
    public static AppImage Read(ImageStore store, StoredImage image)
    {
        if (image.IsAci)
        {
            var manifest = store.ReadAppManifest(image);
            return new AppImage(image, manifest, image.Layers, manifest.App?.Exec ?? []);
        }

        var config = store.ReadConfig(image);
        return new AppImage(image, ImageApp.Convert(image, config), config.Rootfs.DiffIds, config.Config.Entrypoint);
    }

    /// <summary>The name an app gets from its image unless one is given: the last part of the image's name.</summary>
    internal AppName DefaultName => AppName.From(Manifest.Name[(Manifest.Name.TrimEnd('/').LastIndexOf('/') + 1)..]);
}
