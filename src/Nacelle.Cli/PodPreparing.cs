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
        var names = request.Manifest?.Apps.Select(app => (app.Image.Name is { Length: > 0 } name && !app.Image.Id.Contains('-') ? name : app.Image.Id, (string?)null))
            ?? request.Apps.Select(app => (app.Image, app.Signature));
        var found = Fetching.FindAll(invocation, images, names);
        var chosen = request with { Stage1 = Stage1Selection.Find(invocation, images) };
        return PodPreparation.Prepare(pods, images, layers, chosen, found, ProductVersion.Text, Warn);
    }

    /// <summary>Writes the UUID to the file that --uuid-file-save names; where that cannot be, nothing is left of the pod.</summary>
    public static void SaveUuid(Invocation invocation, PodStore pods, Pod pod)
    {
        if (invocation.Value(PodFlags.UuidFile) is not { } file)
        {
            return;
        }

        try
        {
            Files.WriteAll(FileDescriptor.WorkingDirectory, file, pod.Uuid + "\n");
        }
        catch
        {
            PodCollection.Remove(pods, new FoundPod(pod, PodState.Prepared), Warn);
            throw;
        }
    }

    public static void Warn(string warning) => Output.Error($"warning: {warning}");
}
