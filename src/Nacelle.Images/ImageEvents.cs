using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

public enum ImageEventKind
{
    /// <summary>The name is new, or stands for another image now.</summary>
    Imported,
    Removed,
}

/// <summary>An image has come under a name, or has lost it.</summary>
public sealed record ImageEvent(DateTimeOffset Time, ImageEventKind Kind, StoredImage Image);

/// <summary>Tells which images come to a store and go, by watching its names.</summary>
public sealed class ImageEvents : IDisposable
{
    readonly ImageStore store;
    readonly DirectoryWatch watch = new();
    Dictionary<string, StoredImage> known;

    /// <summary>Watches from now on.</summary>
    public ImageEvents(ImageStore store)
    {
        this.store = store;
        watch.TryAdd(store.Data, "refs", DirectoryChanges.MovedHere | DirectoryChanges.Written | DirectoryChanges.Deleted);
        known = List();
    }

    /// <summary>Waits for the next events.</summary>
    /// <param name="milliseconds">-1 to wait for ever.</param>
    /// <returns>Empty after the time, and where a name was written that stands for what it stood for.</returns>
    public IReadOnlyList<ImageEvent> Wait(int milliseconds)
    {
        PollEntry[] entries = [new() { Number = watch.Descriptor.Number, Wanted = PollEvents.Readable }];
        Polling.Wait(entries, milliseconds);
        if (watch.Read().Count == 0)
        {
            return [];
        }

        // Which names there are now says more than what became of single files: nothing is missed, however much has happened.
        var (before, now) = (known, known = List());
        var time = DateTimeOffset.UtcNow;
        return
        [
            .. before.Values.Where(image => IdOf(now, image) != image.Id).Select(image => new ImageEvent(time, ImageEventKind.Removed, image)),
            .. now.Values.Where(image => IdOf(before, image) != image.Id).Select(image => new ImageEvent(time, ImageEventKind.Imported, image)),
        ];
    }

    static Digest? IdOf(Dictionary<string, StoredImage> images, StoredImage named) => images.TryGetValue(named.Name, out var image) ? image.Id : null;

    Dictionary<string, StoredImage> List() => store.List().ToDictionary(image => image.Name, StringComparer.Ordinal);

    public void Dispose() => watch.Dispose();
}
