using System.Globalization;
using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>Makes the image of a finished stage: config, manifest, and names in the store.</summary>
sealed class ImageAssembly(ImageStore store, BuildCache cache, BuildOptions options)
{
    /// <summary>What images without a name of their own are called, followed by their digest.</summary>
    const string Untagged = "localhost/untagged";

    /// <summary>As Go writes times, in whole milliseconds.</summary>
    public static string Format(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    public async Task<StoredImage> StoreAsync(StageState state, IReadOnlyList<ImageReference> names, CancellationToken cancellation)
    {
        bool docker = options.Form == ImageForm.Docker;
        var config = Config(state);
        var created = Format(options.Time is { } time ? DateTimeOffset.FromUnixTimeSeconds(time.Seconds) : Created(config, docker));
        config = config with { Created = created, History = [.. config.History.Select(step => step.Created is null ? step with { Created = created } : step)] };
        var json = config.ToJson(docker);
        var configBlob = new Descriptor { MediaType = docker ? MediaTypes.DockerConfig : MediaTypes.OciConfig, Digest = ContentStore.DigestOf(json), Size = json.Length };
        var oci = new ImageManifest
        {
            MediaType = MediaTypes.OciManifest,
            Config = configBlob with { MediaType = MediaTypes.OciConfig },
            Layers = state.Blobs,
            Annotations = Annotations(state) is { Count: > 0 } annotations ? annotations : null,
        }.ToOci();
        await store.Content.PutAsync(configBlob, json, cancellation);
        var layout = await PutAsync(oci, MediaTypes.OciManifest, cancellation);
        var manifest = docker ? await PutAsync(ToDocker(oci, configBlob), MediaTypes.DockerManifest, cancellation) : layout;
        var now = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        var image = new StoredImage
        {
            Name = ImageReference.Parse($"{Untagged}@{manifest.Digest}").ToString(),
            Manifest = manifest,
            Layout = layout,
            Config = configBlob.Digest,
            Resolved = manifest.Digest,
            Platform = Platform.Current.ToString(),
            Size = manifest.Size + configBlob.Size + state.Blobs.DistinctBy(blob => blob.Digest).Sum(blob => blob.Size),
            Imported = now,
            LastUsed = now,
        };
        var stored = names.Count == 0 ? [image] : names.Select(name => image with { Name = name.ToString() }).ToList();
        stored.ForEach(store.Add);
        return stored[0];
    }

    ImageConfig Config(StageState state) => new()
    {
        Author = state.Author,
        Architecture = Platform.Current.Architecture,
        Os = Platform.Current.Os,
        Config = state.Config with { Labels = Merge(state.Config.Labels, options.Labels) },
        Rootfs = new ImageRootfs { Type = "layers", DiffIds = state.DiffIds },
        History = state.History,
    };

    /// <summary>When an image of this very content was first made here: so a build from the cache gives the same image again.</summary>
    DateTimeOffset Created(ImageConfig config, bool docker)
    {
        using var parts = new StepKey();
        var key = parts.Add("image").Add(config.ToJson(docker)).Finish();
        if (cache.Find(key) is { } known && !options.NoCache)
        {
            return known.Created;
        }

        var now = new CachedStep(null, DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        cache.Add(key, now);
        return now.Created;
    }

    IReadOnlyDictionary<string, string> Annotations(StageState state)
    {
        var own = new Dictionary<string, string>(StringComparer.Ordinal);
        if (state.Base is { } from)
        {
            own["org.opencontainers.image.base.digest"] = from.Manifest.ToString();
            own["org.opencontainers.image.base.name"] = from.Name;
        }

        return Merge(own, options.Annotations);
    }

    async Task<Descriptor> PutAsync(ImageManifest manifest, string mediaType, CancellationToken cancellation)
    {
        var json = manifest.ToJson();
        var descriptor = new Descriptor { MediaType = mediaType, Digest = ContentStore.DigestOf(json), Size = json.Length };
        await store.Content.PutAsync(descriptor, json, cancellation);
        return descriptor;
    }

    static ImageManifest ToDocker(ImageManifest oci, Descriptor config) => oci with
    {
        MediaType = MediaTypes.DockerManifest,
        Config = config,
        Annotations = null,
        Layers = [.. oci.Layers.Select(layer => layer with
        {
            MediaType = layer.MediaType switch
            {
                MediaTypes.OciLayerGzip => MediaTypes.DockerLayerGzip,
                MediaTypes.OciLayerZstd => MediaTypes.DockerLayer + ".zstd",
                _ => MediaTypes.DockerLayer,
            },
        })],
    };

    static SortedDictionary<string, string> Merge(IReadOnlyDictionary<string, string> weaker, IReadOnlyDictionary<string, string> stronger)
    {
        var merged = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in weaker.Concat(stronger))
        {
            merged[name] = value;
        }

        return merged;
    }
}
