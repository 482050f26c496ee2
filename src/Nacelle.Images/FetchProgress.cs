using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>How far a fetch has come; written by the fetch, read by whoever draws it, at any time and from any thread.</summary>
public sealed class FetchProgress
{
    volatile LayerProgress[] layers = [];
    volatile DownloadProgress[] downloads = [];

    /// <summary>The layers of the image being fetched, the lowest first; empty until they are known.</summary>
    public IReadOnlyList<LayerProgress> Layers => layers;

    /// <summary>Files that are downloaded by address, in the order in which they began.</summary>
    public IReadOnlyList<DownloadProgress> Downloads => downloads;

    /// <summary>Called with what a person should know, line by line.</summary>
    public Action<string>? Tell { get; init; }

    /// <summary>Called with a line worth telling with --debug.</summary>
    public Action<string>? Note { get; init; }

    internal DownloadProgress Start(string title, long? total)
    {
        var download = new DownloadProgress(title, total);
        downloads = [.. downloads, download];
        return download;
    }

    internal LayerProgress[] Start(IEnumerable<Descriptor> blobs) => layers = [.. blobs.Select(blob => new LayerProgress(blob.Digest, blob.Size))];
}

/// <summary>How far the download of one file has come.</summary>
/// <param name="title">What a person calls the file.</param>
/// <param name="total">In bytes; null when the server does not say.</param>
public sealed class DownloadProgress(string title, long? total)
{
    long done;

    public string Title => title;

    public long? Total => total;

    public long Done
    {
        get => Interlocked.Read(ref done);
        internal set => Interlocked.Exchange(ref done, value);
    }

    /// <summary>Nothing more will come.</summary>
    public bool IsOver { get; internal set; }
}

/// <summary>How far one layer has come.</summary>
public sealed class LayerProgress(Digest digest, long total)
{
    long done;
    long size = total;

    public Digest Digest => digest;

    /// <summary>Compressed size in bytes; another one once it has been compressed anew.</summary>
    public long Total
    {
        get => Interlocked.Read(ref size);
        internal set => Interlocked.Exchange(ref size, value);
    }

    /// <summary>How many of them have been downloaded.</summary>
    public long Done
    {
        get => Interlocked.Read(ref done);
        internal set => Interlocked.Exchange(ref done, value);
    }

    public LayerPhase Phase { get; internal set; }
}

public enum LayerPhase
{
    /// <summary>Not begun.</summary>
    Pending,

    /// <summary>Another process is fetching it.</summary>
    Waiting,

    /// <summary>Being downloaded and unpacked.</summary>
    Fetching,

    /// <summary>Being compressed in another way.</summary>
    Compressing,

    /// <summary>Being sent to a registry or written to a file.</summary>
    Sending,

    /// <summary>Downloaded; the rest is unpacked and made durable.</summary>
    Unpacking,

    /// <summary>Where it belongs.</summary>
    Done,
}
