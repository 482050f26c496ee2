using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>
/// The images of a data directory: <c>refs/</c> says which names there are and what they stand for; <c>images/</c> is an OCI image layout with the
/// content. Finding an image by name reads one small file. Nothing here talks to a registry.
/// </summary>
/// <remarks>
/// Two locks (flock): on <c>images/</c>, shared by whoever needs content to stay and exclusive for whoever removes some; and on <c>refs/</c>, held for
/// the moment in which a name changes.
/// </remarks>
public sealed partial class ImageStore : IDisposable
{
    readonly FileDescriptor data;
    readonly FileDescriptor images;
    readonly FileDescriptor refs;

    ImageStore(FileDescriptor data)
    {
        this.data = data;
        Files.EnsureDirectory(data, "refs");
        Files.EnsureDirectory(data, "images");
        refs = Files.Open(data, "refs", OpenFlags.ReadOnly | OpenFlags.Directory);
        images = Files.Open(data, "images", OpenFlags.ReadOnly | OpenFlags.Directory);
        Content = new ContentStore(data, images);
        Layers = LayerStore.Open(data);
    }

    /// <summary>The data directory; not to be disposed.</summary>
    internal FileDescriptor Data => data;

    public ContentStore Content { get; }

    public LayerStore Layers { get; }

    /// <summary>Opens the store of a data directory, making what is missing.</summary>
    public static ImageStore Open(string dataDirectory)
    {
        var data = Files.EnsureDirectories(dataDirectory);
        try
        {
            return new ImageStore(data);
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>The image stored under that very name, or null.</summary>
    /// <exception cref="ImageException">The file of that name is damaged.</exception>
    public StoredImage? Find(ImageName name) =>
        ReadReference(FileNameOf(name.ToString())) is { } image && image.Name == name.ToString() ? image : null;

    /// <summary>
    /// The image that a person means: by name (<c>docker://redis</c>, <c>redis</c>, as listed; a name without a host is first that of an image built
    /// here), or by id or config digest, whole or its unique beginning, with or without <c>sha256:</c> or <c>sha256-</c>; of an appc image, name and some
    /// of its labels. What is both a name and the beginning of an id is the name: which ids there are is chance.
    /// </summary>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="ImageException">Several images' ids start like that.</exception>
    public StoredImage? Find(string text) => ImageIdText.Parse(text) is { } id ? (id.IsCertain ? null : FindNamed(text)) ?? FindById(id) : FindNamed(text);

    /// <summary>The image of that name, as <see cref="Find(string)"/> understands names; never one whose id begins like that.</summary>
    public StoredImage? FindNamed(string text)
    {
        try
        {
            var name = text.Contains("://", StringComparison.Ordinal) || text.Contains(":/", StringComparison.Ordinal) || text.StartsWith('/') || text.StartsWith('.')
                ? ImageName.Parse(text) : null;
            return name is ImageFile { Format: ImageFileFormat.Detect } file ? FindFile(file) : name is not null ? Find(name)
                : (AppcImageName.LooksLikeOne(text) && FindAci(text) is { } aci ? aci : FindLocal(text) ?? Find(ImageReference.Parse(text)));
        }
        catch (SpecException)
        {
            return null; // not a name: then there is no image of that name
        }
    }

    /// <summary>The appc image of that name which has at least the labels: the one that was fetched as the latest, or else the one that came last.</summary>
    public StoredImage? FindAci(AppcImageName wanted) =>
        List(Escape(wanted.Name) is { Length: > LongestKept } text ? text[..LongestKept] : Escape(wanted.Name))
            .Where(image => image.IsAci && AppcImageName.Parse(image.Name) is var name && wanted.Matches(name.Name, name.Labels))
            .OrderByDescending(image => image.IsLatest && wanted.Label("version") is null)
            .ThenByDescending(image => image.Imported)
            .FirstOrDefault();

    /// <summary>All images, each once per name, the oldest first.</summary>
    public List<StoredImage> List() => List("");

    List<StoredImage> List(string prefix)
    {
        var list = new List<StoredImage>();
        foreach (var entry in Directories.List(refs))
        {
            if (!entry.Name.StartsWith('.') && entry.Name.StartsWith(prefix, StringComparison.Ordinal) && ReadReference(entry.Name) is { } image)
            {
                list.Add(image);
            }
        }

        list.Sort((a, b) => a.Imported != b.Imported ? a.Imported.CompareTo(b.Imported) : string.CompareOrdinal(a.Name, b.Name));
        return list;
    }

    /// <exception cref="ImageException">The manifest is not in the store.</exception>
    /// <exception cref="SpecException">The manifest is not valid.</exception>
    public ImageManifest ReadManifest(StoredImage image) => ImageManifest.Parse(Content.Read(image.Manifest.Digest));

    /// <summary>The manifest of an appc image.</summary>
    public AppImageManifest ReadAppManifest(StoredImage image) => AppImageManifest.Parse(ReadSealed(image.Config), $"the manifest of {image.Name}");

    /// <summary>The unpacked layers of an image's root file system, the lowest first.</summary>
    public IReadOnlyList<Digest> LayersOf(StoredImage image) => image.IsAci ? image.Layers : ReadConfig(image).Rootfs.DiffIds;

    /// <summary>The blobs that the layers were unpacked from, in the same order.</summary>
    public IReadOnlyList<Digest> BlobsOf(StoredImage image) => image.IsAci ? image.Layers : [.. ReadManifest(image).Layers.Select(layer => layer.Digest)];

    /// <inheritdoc cref="ReadManifest"/>
    public ImageConfig ReadConfig(StoredImage image) => ImageConfig.Parse(ReadSealed(image.Config));

    /// <summary>Notes that the image was used now; the time is that of its file in <c>refs/</c>.</summary>
    public void MarkUsed(StoredImage image)
    {
        long milliseconds = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var now = new Timestamp(milliseconds / 1000, milliseconds % 1000 * 1_000_000);
        try
        {
            Files.SetTimes(refs, FileNameOf(image.Name), now, now);
        }
        catch (KernelException failure) when (failure.Errno is Errno.ENOENT or Errno.EROFS)
        {
            // Removed meanwhile, or a store that cannot be written: not worth failing for.
        }
    }

    /// <summary>Keeps all content (blobs and layers) from being removed until the result is disposed; waits while somebody removes.</summary>
    /// <remarks>To be held from finding an image until its layers are mounted or noted as used by a pod.</remarks>
    public IDisposable HoldContent()
    {
        var held = Files.Open(images, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        FileLock.Acquire(held, LockKind.Shared);
        return held;
    }

    public void Dispose()
    {
        Layers.Dispose();
        refs.Dispose();
        images.Dispose();
        data.Dispose();
    }

    StoredImage? FindAci(string text)
    {
        try
        {
            return FindAci(AppcImageName.Parse(text));
        }
        catch (SpecException)
        {
            return null;
        }
    }

    /// <summary>An image of a path that does not say in which form it lies there; it is stored under the form that was found.</summary>
    StoredImage? FindFile(ImageFile file) => new[] { ImageFileFormat.OciLayout, ImageFileFormat.OciArchive, ImageFileFormat.DockerArchive }
        .Select(format => Find(file with { Format = format })).FirstOrDefault(found => found is not null);

    /// <summary>Builds name their images <c>localhost/NAME</c>, as podman's do.</summary>
    StoredImage? FindLocal(string text) => ImageReference.HasHost(text) ? null : Find(ImageReference.Parse("localhost/" + text));

    StoredImage? FindById(ImageIdText id)
    {
        StoredImage? found = null;
        foreach (var image in List())
        {
            if (id.Begins(image.Id) || id.Begins(image.Config))
            {
                found = found is null || found.Id == image.Id ? image
                    : throw new ImageException($"'{id.Text}' is ambiguous: it is the beginning of {found.Id} and of {image.Id}");
            }
        }

        return found;
    }

    StoredImage? ReadReference(string fileName)
    {
        using var file = Files.TryOpen(refs, fileName, OpenFlags.ReadOnly | OpenFlags.NoFollow, out var error);
        if (file is null)
        {
            return error == Errno.ENOENT ? null : throw new KernelException($"open {refs}/{fileName}", error);
        }

        try
        {
            return StoredImage.Read(System.Text.Encoding.UTF8.GetString(Files.ReadToEnd(file)), Files.Status(file).ModificationTime.ToDateTimeOffset());
        }
        catch (Exception failure) when (failure is FormatException or OverflowException)
        {
            throw new ImageException($"{refs}/{fileName} is damaged ({failure.Message}): remove it and fetch the image again", failure);
        }
    }

    // A component holds 255 bytes, and Replace needs some for its temporary name.
    const int LongestFileName = 200, LongestKept = LongestFileName - 17;

    /// <summary>One path component for any name; the end of a long one gives way to a hash of the whole.</summary>
    internal static string FileNameOf(string name) =>
        Escape(name) is { Length: > LongestFileName } text ? $"{text[..LongestKept]}~{Fnv1a(name):x16}" : Escape(name);

    /// <summary>Letters, digits, '.', '_' and '-' stand for themselves, all else is %XX.</summary>
    static string Escape(string name)
    {
        var escaped = new System.Text.StringBuilder(name.Length + 16);
        foreach (byte letter in System.Text.Encoding.UTF8.GetBytes(name))
        {
            if (char.IsAsciiLetterOrDigit((char)letter) || letter is (byte)'_' or (byte)'-' || (letter == '.' && escaped.Length > 0))
            {
                escaped.Append((char)letter);
            }
            else
            {
                escaped.Append(System.Globalization.CultureInfo.InvariantCulture, $"%{letter:X2}");
            }
        }

        return escaped.ToString();
    }

    static ulong Fnv1a(string text)
    {
        ulong hash = 14695981039346656037;
        foreach (char letter in text)
        {
            hash = (hash ^ letter) * 1099511628211;
        }

        return hash;
    }
}
