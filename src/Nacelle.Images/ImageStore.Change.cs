using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

public sealed partial class ImageStore
{
    // There while a name changes: whoever finds it without anybody holding the lock knows that somebody died at it.
    const string ChangingName = ".changing";

    /// <summary>Gives an image a name; manifest, config and all layers must be in the store. The name may have stood for another image before.</summary>
    public void Add(StoredImage image) => Change(() =>
    {
        Seal(image.Config);
        Files.Replace(refs, FileNameOf(image.Name), image.Write());
        Files.Synchronize(refs);
    });

    /// <summary>Takes a name away, and leaves the content to whoever collects next.</summary>
    internal void Forget(StoredImage image) => Change(() => Files.TryUnlink(refs, FileNameOf(image.Name)));

    /// <summary>Finishes what a process that died while it changed a name left undone.</summary>
    internal void Recover()
    {
        if (Files.Exists(refs, ChangingName))
        {
            Change(() => { });
        }
    }

    /// <summary>Takes the name away, and then removes all content that no name and no pod needs any more.</summary>
    /// <param name="layersInUse">The diff-ids of layers that pods use; asked once nobody can begin to use further ones.</param>
    /// <returns>False when content had to stay for now because somebody is fetching or preparing; <see cref="Collect"/> finds it later.</returns>
    public bool Remove(StoredImage image, Func<IReadOnlySet<Digest>> layersInUse)
    {
        Change(() => Files.TryUnlink(refs, FileNameOf(image.Name)));
        return Collect(layersInUse, TimeSpan.MaxValue);
    }

    /// <summary>Removes blobs and layers that no name and no pod needs, and interrupted downloads older than <paramref name="downloadAge"/>.</summary>
    /// <param name="buildAge">Layers of builds are kept so long after their last use; <see cref="BuildCache.Age"/> where nothing is said.</param>
    /// <returns>False when nothing was done because somebody is fetching or preparing.</returns>
    public bool Collect(Func<IReadOnlySet<Digest>> layersInUse, TimeSpan downloadAge, TimeSpan? buildAge = null)
    {
        Recover();
        using var held = Files.Open(images, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        if (!FileLock.TryAcquire(held, LockKind.Exclusive))
        {
            return false;
        }

        var layers = new HashSet<Digest>(layersInUse());
        var blobs = new HashSet<Digest>();
        foreach (var image in List())
        {
            blobs.Add(image.Manifest.Digest);
            blobs.Add(image.Layout.Digest);
            blobs.Add(image.Config);
            blobs.UnionWith(BlobsOf(image));
            layers.UnionWith(LayersOf(image));
        }

        foreach (var layer in BuildCache.Collect(data, buildAge ?? BuildCache.Age))
        {
            layers.Add(layer.DiffId);
            blobs.Add(layer.Blob.Digest);
        }

        foreach (var blob in Content.List())
        {
            if (!blobs.Contains(blob))
            {
                Layers.RemoveSeal(blob);
                Content.Remove(blob);
            }
        }

        foreach (var layer in Layers.List())
        {
            if (!layers.Contains(layer))
            {
                Layers.Remove(layer);
            }
        }

        RemoteFile.Sweep(data, id => Content.SizeOf(id) is not null);
        BuildWork.Collect(data, buildAge ?? BuildCache.Age);
        Layers.Sweep();
        Content.SweepIngest(downloadAge);
        return true;
    }

    void Change(Action change)
    {
        using var held = Files.Open(refs, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        FileLock.Acquire(held, LockKind.Exclusive);
        if (Files.Exists(refs, ChangingName))
        {
            RemoveTemporaries(refs);
            RemoveTemporaries(images);
        }

        Files.WriteAll(refs, ChangingName, []);
        change();
        WriteIndex();
        Files.TryUnlink(refs, ChangingName);
    }

    /// <summary>What a killed <see cref="Files.Replace"/> leaves; with the lock held nobody else is at it.</summary>
    static void RemoveTemporaries(FileDescriptor directory)
    {
        foreach (var entry in Directories.List(directory))
        {
            if (entry.Name.StartsWith('.') && entry.Name != ChangingName)
            {
                Files.TryUnlink(directory, entry.Name);
            }
        }
    }

    /// <summary>Writes the layout's index anew from the names: they are the truth, and it may be behind them after a crash.</summary>
    void WriteIndex()
    {
        if (!Files.Exists(images, "oci-layout"))
        {
            Files.Replace(images, "oci-layout", new ImageLayoutFile().ToJson());
        }

        // An appc image is no image of the layout's kind: its blob is only kept here.
        var manifests = List().Where(image => !image.IsAci).Select(image => image.Layout with
        {
            Annotations = new Dictionary<string, string> { [Descriptor.ReferenceName] = LayoutNameOf(image) },
        });
        Files.Replace(images, "index.json", new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = [.. manifests] }.ToJson());
    }

    /// <summary>A name that the layout's grammar allows: words of letters and digits, joined by single marks and slashes.</summary>
    /// <remarks>OCI image specification 1.1, annotations.md, org.opencontainers.image.ref.name.</remarks>
    internal static string LayoutNameOf(StoredImage image)
    {
        var name = new StringBuilder();
        foreach (char letter in image.DisplayName)
        {
            bool mark = !char.IsAsciiLetterOrDigit(letter);
            if (mark && (name.Length == 0 || !char.IsAsciiLetterOrDigit(name[^1])))
            {
                continue;
            }

            name.Append(!mark || letter is '-' or '.' or '_' or ':' or '@' or '+' or '/' ? letter : '_');
        }

        while (name.Length > 0 && !char.IsAsciiLetterOrDigit(name[^1]))
        {
            name.Length--;
        }

        // What had to be changed could now be some other image's name.
        return name.ToString() == image.DisplayName ? image.DisplayName : $"{name}_{Fnv1a(image.Name):x16}";
    }
}
