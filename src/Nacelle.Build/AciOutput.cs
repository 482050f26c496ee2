using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;

namespace Nacelle.Build;

/// <summary>Writes a built image as an ACI: its layers merged into one root file system, its configuration as an appc manifest.</summary>
static class AciOutput
{
    /// <returns>The ACI's id.</returns>
    public static Specs.Digest Write(ImageStore store, StoredImage image, string path, LayerTime? time, CancellationToken cancellation)
    {
        using var work = BuildWork.Create(store);
        using var layout = work.MakeDirectory();
        var app = AppImage.Read(store, image);
        var manifest = app.Manifest with { Name = Specs.AcIdentifier.From(app.Manifest.Name) };
        manifest.Check($"{path}: manifest");
        Files.WriteAll(layout, "manifest", manifest.ToJson());
        Files.MakeDirectory(layout, "rootfs");
        Files.SetMode(layout, "rootfs", 0x1ED);
        using (var rootfs = Files.Open(layout, "rootfs", OpenFlags.ReadOnly | OpenFlags.Directory))
        {
            var layers = PodPreparation.OpenLayers(store.Layers, app.Layers);
            try
            {
                LayerCopy.Flatten(layers, rootfs, OwnerShift.None, cancellation: cancellation);
            }
            finally
            {
                foreach (var layer in layers)
                {
                    layer.Dispose();
                }
            }
        }

        // What has no time of its own has the image's, so that the same image always gives the same file.
        var made = DateTimeOffset.Parse(store.ReadConfig(image).Created!, System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeSeconds();
        Files.SetTimes(layout, "manifest", new Timestamp(made, 0), new Timestamp(made, 0));
        return AciArchiveWriter.Write(layout, path, time, cancellation);
    }
}
