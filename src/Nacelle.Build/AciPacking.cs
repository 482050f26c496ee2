using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>Packs an ACI layout, a directory with a manifest and a rootfs, into an ACI.</summary>
/// <remarks>appc 0.8.11, spec/aci.md, "Image Layout".</remarks>
static class AciPacking
{
    public static void Pack(string layout, string path)
    {
        using var directory = Files.Open(layout, OpenFlags.ReadOnly | OpenFlags.Directory);
        foreach (var (name, _) in Directories.List(directory))
        {
            if (name is not ("manifest" or "rootfs"))
            {
                throw new UserException($"{layout}/{name}: an image layout has a manifest and a rootfs, and nothing else");
            }
        }

        if (Files.TryStatus(directory, "manifest", out _) is not { Kind: FileKind.Regular } || Files.TryStatus(directory, "rootfs", out _) is not { Kind: FileKind.Directory })
        {
            throw new UserException($"{layout} is no image layout: it needs a file 'manifest' and a directory 'rootfs'");
        }

        AppImageManifest.Parse(Files.ReadAll(directory, "manifest"), $"{layout}/manifest").Check($"{layout}/manifest");
        Output.Line(AciArchiveWriter.Write(directory, path, Time(), CancellationToken.None).FileName);
    }

    static LayerTime? Time() =>
        long.TryParse(Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH"), out long seconds) ? new LayerTime(seconds, All: false) : null;
}
