using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Says which layers make the root file system of an ACI: nothing is copied, what the whitelist leaves out is hidden by one more layer.</summary>
/// <remarks>appc 0.8.11, spec/aci.md, "dependencies" and "pathWhitelist".</remarks>
static class AciRendering
{
    /// <param name="dependencies">Whole images, in the manifest's order.</param>
    /// <returns>The layers, the lowest first; all are in the store.</returns>
    public static IReadOnlyList<Digest> Render(ImageStore store, ImportedAci image, IReadOnlyList<StoredImage> dependencies, CancellationToken cancellation)
    {
        // Of a layer that several dependencies bring, the highest counts: it hides all that the lower ones could show.
        List<Digest> layers = [.. dependencies.SelectMany(dependency => dependency.Layers), image.Id];
        layers = [.. layers.Where((layer, i) => layers.LastIndexOf(layer) == i)];
        if (image.Manifest.PathWhitelist.Count > 0 && Hide(store, layers, image.Manifest.PathWhitelist, cancellation) is { } mask)
        {
            layers.Add(mask);
        }

        return layers;
    }

    static Digest? Hide(ImageStore store, List<Digest> layers, IReadOnlyList<string> whitelist, CancellationToken cancellation)
    {
        using var archive = store.Content.CreateUnnamed();
        var opened = new List<LayerSource>();
        try
        {
            foreach (var layer in layers)
            {
                opened.Add(store.Layers.TryOpenSource(layer) ?? throw new ImageException($"the layer {layer} was removed from the store meanwhile"));
            }

            if (new PathMask(whitelist).Write([.. opened.Select(layer => layer.Root)], archive, cancellation) is not { } digest)
            {
                return null;
            }

            if (store.Layers.TryBegin(digest, out var pending))
            {
                using (pending)
                {
                    using var content = new FileRangeStream(archive, 0, Files.Status(archive).Size, owned: false);
                    pending.Unpack(content, LayerCompression.None, null, cancellation);
                    store.Layers.Commit(pending);
                }
            }

            // Like every layer of an ACI it has its archive as a blob of the same digest.
            store.Content.Enter(archive, digest);
            return digest;
        }
        finally
        {
            opened.ForEach(layer => layer.Dispose());
        }
    }
}
