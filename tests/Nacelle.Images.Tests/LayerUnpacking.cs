using Nacelle.Linux;

namespace Nacelle.Images.Tests;

/// <summary>Short ways to unpack and to be refused.</summary>
static class LayerUnpacking
{
    public static UnpackResult Unpack(this LayerScratch scratch, Stream archive, string name = "rootfs", UnpackOptions? options = null) =>
        LayerUnpacker.Unpack(archive, LayerCompression.Detect, scratch.Make(name), options ?? new UnpackOptions());

    public static UnpackResult Unpack(this LayerScratch scratch, TarBuilder archive, string name = "rootfs", UnpackOptions? options = null) =>
        scratch.Unpack(archive.Stream(), name, options);

    /// <summary>Unpacks what has to be refused, and checks that nothing appeared beside the target.</summary>
    public static LayerException Refused(TarBuilder archive, UnpackOptions? options = null)
    {
        using var scratch = new LayerScratch();
        var refusal = Assert.Throws<LayerException>(() => scratch.Unpack(archive, options: options));
        Assert.Equal(["rootfs"], Directories.List(scratch.Root).Select(entry => entry.Name));
        return refusal;
    }
}
