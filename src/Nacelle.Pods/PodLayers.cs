using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>The layers of a pod, opened before any of them is mounted: what is opened later may show its owners through the map of a pod's user namespace.</summary>
sealed class PodLayers : IDisposable
{
    readonly Dictionary<AppName, IReadOnlyList<LayerSource>> ofApps = [];

    PodLayers(IReadOnlyList<LayerSource> ofStage1) => OfStage1 = ofStage1;

    /// <summary>The lowest first; none for the stage1 that comes with us, and none in a pod of copies.</summary>
    public IReadOnlyList<LayerSource> OfStage1 { get; }

    public IReadOnlyList<LayerSource> OfApp(AppName app) => ofApps[app];

    /// <exception cref="PodException">The store has lost one.</exception>
    /// <exception cref="ImageException">One is not what its seal says.</exception>
    public static PodLayers Open(Pod pod, LayerStore layers, PodManifest manifest, LayerCheck check)
    {
        var opened = new PodLayers(pod.OverlayPrepared ? PodPreparation.OpenLayers(layers, pod.Stage1Layers, check) : []);
        try
        {
            foreach (var app in manifest.Apps)
            {
                opened.ofApps[app.Name] = pod.OverlayPrepared ? PodPreparation.OpenLayers(layers, pod.LayersOf(app.Name.ToString()), check) : [];
            }

            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var layer in ofApps.Values.Append(OfStage1).SelectMany(layers => layers))
        {
            layer.Dispose();
        }
    }
}
