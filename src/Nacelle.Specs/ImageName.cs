namespace Nacelle.Specs;

/// <summary>What a person writes to mean an image: a reference into a registry, or a file or directory of this machine.</summary>
/// <remarks><see cref="object.ToString"/> gives the one canonical spelling, which parses to an equal name and is the key in the store.</remarks>
public abstract record ImageName
{
    /// <summary>
    /// Reads <c>docker://…</c>, <c>docker:…</c>, <c>oci:PATH[:tag|@digest]</c>, <c>oci-archive:PATH[:tag|@digest]</c>,
    /// <c>docker-archive:PATH[:reference]</c>, <c>file://PATH</c>, a path that starts with <c>/</c>, <c>./</c> or <c>../</c> or ends in <c>.aci</c>,
    /// <c>https://…</c>, an appc name: <c>example.com/app[:version][,label=value…]</c>, or any of these as rkt wrote them down: <c>cimd:…</c>.
    /// </summary>
    /// <exception cref="SpecException">None of these; the message says which rule was broken.</exception>
    public static ImageName Parse(string text)
    {
        text = Distribution.Usual(text);
        foreach (var (prefix, format) in Prefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                return ImageFile.Parse(format, text, text[prefix.Length..]);
            }
        }

        if (text.StartsWith("docker:", StringComparison.Ordinal))
        {
            return ImageReference.Parse(text);
        }

        if (ImageUrl.TryParse(text) is { } url)
        {
            return url;
        }

        return text is "." or ".." || text.EndsWith(".aci", StringComparison.Ordinal) || text.StartsWith('/') || text.StartsWith("./", StringComparison.Ordinal) || text.StartsWith("../", StringComparison.Ordinal)
            ? ImageFile.Parse(ImageFileFormat.Detect, text, text)
            : AppcImageName.LooksLikeOne(text) ? AppcImageName.Parse(text)
            : throw new SpecException("", $"'{text}' does not say where the image comes from: write docker://{text}, or ./{text} for a file");
    }

    static readonly (string Prefix, ImageFileFormat Format)[] Prefixes =
    [
        ("oci:", ImageFileFormat.OciLayout),
        ("oci-archive:", ImageFileFormat.OciArchive),
        ("docker-archive:", ImageFileFormat.DockerArchive),
        ("file://", ImageFileFormat.Detect),
    ];
}

/// <summary>How an image lies in the file system.</summary>
public enum ImageFileFormat
{
    /// <summary>Whatever the path turns out to be.</summary>
    Detect,

    /// <summary>A directory laid out by the OCI image specification, image-layout.md.</summary>
    OciLayout,

    /// <summary>The same in a tar archive.</summary>
    OciArchive,

    /// <summary>What <c>docker save</c> writes.</summary>
    DockerArchive,
}

/// <summary>An image in a file or directory of this machine.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Selector">Which image, where the file holds several: a tag, a reference, or <c>@</c> and a digest; null for the only one.</param>
public sealed record ImageFile(ImageFileFormat Format, string Path, string? Selector) : ImageName
{
    /// <summary>The digest that the selector asks for, if it asks for one.</summary>
    public Digest? SelectedDigest => Selector is ['@', .. var digest] ? Digest.Parse(digest, Selector) : null;

    internal static ImageFile Parse(ImageFileFormat format, string text, string rest)
    {
        string path = rest;
        string? selector = null;
        if (format != ImageFileFormat.Detect)
        {
            // As skopeo reads it: the path ends at the first colon, or at the '@' of a digest.
            int digest = Math.Max(rest.IndexOf("@sha256:", StringComparison.Ordinal), rest.IndexOf("@sha512:", StringComparison.Ordinal));
            int colon = rest.IndexOf(':');
            int end = digest >= 0 ? digest : colon >= 0 ? colon : rest.Length;
            path = rest[..end];
            selector = digest >= 0 ? rest[digest..] : colon >= 0 ? rest[(colon + 1)..] : null;
            if (digest >= 0)
            {
                Digest.Parse(rest[(digest + 1)..], text);
            }
        }

        return path.Length == 0 || path.Contains('\0') ? throw new SpecException("", $"'{text}' names no file")
            : selector is "" ? throw new SpecException("", $"'{text}' ends in ':' without a tag")
            : new ImageFile(format, System.IO.Path.GetFullPath(path), selector);
    }

    public override string ToString()
    {
        string prefix = Format switch
        {
            ImageFileFormat.OciLayout => "oci:",
            ImageFileFormat.OciArchive => "oci-archive:",
            ImageFileFormat.DockerArchive => "docker-archive:",
            _ => "",
        };
        return Selector is null ? prefix + Path : Selector[0] == '@' ? $"{prefix}{Path}{Selector}" : $"{prefix}{Path}:{Selector}";
    }
}
