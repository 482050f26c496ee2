using System.Globalization;
using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>What a step of a build came to.</summary>
/// <param name="Layer">Null for what makes none.</param>
public sealed record CachedStep(CreatedLayer? Layer, DateTimeOffset Created);

/// <summary>What steps of builds have come to, by a key that says all they depend on: <c>builds/cache/</c> of the data directory, a small file each.</summary>
/// <remarks>
/// A record is written in one step once its layer is in the store, and is good only as long as the layer is there; so neither a crash nor a removal can
/// make it lie. The time of its file is when it was used last: <see cref="ImageStore.Collect"/> keeps the layers of those that are young enough.
/// </remarks>
public sealed class BuildCache : IDisposable
{
    const string Path = "builds/cache";

    /// <summary>How long what nobody asks for is kept.</summary>
    public static readonly TimeSpan Age = TimeSpan.FromDays(7);

    readonly ImageStore store;
    readonly FileDescriptor directory;

    public BuildCache(ImageStore store)
    {
        this.store = store;
        Files.EnsureDirectory(store.Data, "builds", 0x1C0);
        Files.EnsureDirectory(store.Data, Path, 0x1C0);
        directory = Files.Open(store.Data, Path, OpenFlags.ReadOnly | OpenFlags.Directory);
    }

    /// <summary>The step of that key, where all that it came to is in the store; it counts as used now.</summary>
    public CachedStep? Find(Digest key)
    {
        if (Read(directory, key.Hex) is not { } step
            || (step.Layer is { } layer && (!store.Layers.Contains(layer.DiffId) || store.Content.SizeOf(layer.Blob.Digest) != layer.Blob.Size)))
        {
            return null;
        }

        long milliseconds = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var now = new Timestamp(milliseconds / 1000, milliseconds % 1000 * 1_000_000);
        Files.SetTimes(directory, key.Hex, now, now);
        return step;
    }

    public void Add(Digest key, CachedStep step)
    {
        var layer = step.Layer is null ? "" : string.Create(
            CultureInfo.InvariantCulture,
            $"layer {step.Layer.DiffId} {step.Layer.Entries}\nblob {step.Layer.Blob.Digest} {step.Layer.Blob.Size} {step.Layer.Blob.MediaType}\n");
        Files.Replace(directory, key.Hex, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{layer}created {step.Created.ToUnixTimeMilliseconds()}\n")));
    }

    public void Dispose() => directory.Dispose();

    /// <summary>Removes records that nobody has asked for in so long a time, and names the layers of all others. Nobody builds meanwhile.</summary>
    internal static IEnumerable<CreatedLayer> Collect(FileDescriptor data, TimeSpan age)
    {
        using var directory = Files.TryOpen(data, Path, OpenFlags.ReadOnly | OpenFlags.Directory, out _);
        var kept = new List<CreatedLayer>();
        foreach (var (name, _) in directory is null ? [] : Directories.List(directory))
        {
            var used = Files.TryStatus(directory!, name, out _)?.ModificationTime.ToDateTimeOffset();
            if (used is null || DateTimeOffset.UtcNow - used >= age || Read(directory!, name) is not { } step)
            {
                Files.TryUnlink(directory!, name);
            }
            else if (step.Layer is not null)
            {
                kept.Add(step.Layer);
            }
        }

        return kept;
    }

    /// <returns>Null where there is no such record, or one that makes no sense: both are a step that has to be done.</returns>
    static CachedStep? Read(FileDescriptor directory, string name)
    {
        Digest diffId = default;
        Descriptor? blob = null;
        DateTimeOffset? created = null;
        long entries = 0;
        foreach (var line in (Files.TryReadText(directory, name) ?? "").Split('\n'))
        {
            switch (line.Split(' '))
            {
                case ["layer", var text, var count] when Digest.TryParse(text, out diffId) && long.TryParse(count, out entries):
                    break;
                case ["blob", var text, var size, var mediaType] when Digest.TryParse(text, out var digest) && long.TryParse(size, out long bytes):
                    blob = new Descriptor { Digest = digest, Size = bytes, MediaType = mediaType };
                    break;
                case ["created", var text] when long.TryParse(text, out long milliseconds) && Math.Abs(milliseconds) < 1L << 47:
                    created = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
                    break;
                case [""]:
                    break;
                default:
                    return null;
            }
        }

        return created is null || (diffId == default) != (blob is null) ? null
            : new CachedStep(blob is null ? null : new CreatedLayer(diffId, blob, entries), created.Value);
    }
}
