using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary>What <c>run</c> and <c>prepare</c> have in common.</summary>
static class PodPreparing
{
    public static LayerStore OpenLayers(PodStore pods)
    {
        using var data = Files.Open(pods.Path, OpenFlags.Path | OpenFlags.Directory);
        return LayerStore.Open(data);
    }

    public static Pod Prepare(Invocation invocation, PodStore pods, ImageStore images, LayerStore layers, PodRequest request)
    {
        var names = request.Manifest?.Apps.Select(app => app.Image.Name is { Length: > 0 } name && !app.Image.Id.Contains('-') ? name : app.Image.Id) ?? request.Apps.Select(app => app.Image);
        var found = Fetching.FindAll(invocation, images, names);
        var chosen = request with { Stage1 = Stage1Selection.Find(invocation, images) };
        return PodPreparation.Prepare(pods, images, layers, chosen, found, ProductVersion.Text, Warn);
    }

    public static void Warn(string warning) => Output.Error($"warning: {warning}");
}
