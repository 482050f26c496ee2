using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>An image as policies know it.</summary>
/// <param name="Transport">Where it comes from: <c>docker</c>, <c>oci</c>, …</param>
/// <param name="Scopes">What a policy may say something about, the most precise first; the last is "", for all of the transport.</param>
/// <param name="Reference">The name by which it is fetched; null for files.</param>
/// <remarks>containers-policy.json(5), "Supported transports and their scopes".</remarks>
public sealed record PolicySubject(string Transport, IReadOnlyList<string> Scopes, SignedReference? Reference)
{
    public static PolicySubject Of(ImageReference reference)
    {
        var named = SignedReference.Of(reference);
        return new PolicySubject("docker", [named.ToString(), .. Parents(named.Repository), .. Wildcards(reference.Host), ""], named);
    }

    /// <param name="file">Its format must be known.</param>
    public static PolicySubject Of(ImageFile file)
    {
        if (file.Format is not (ImageFileFormat.OciLayout or ImageFileFormat.OciArchive))
        {
            return new PolicySubject("docker-archive", [""], null);
        }

        // A policy's paths are without symlinks.
        using var opened = Files.TryOpen(FileDescriptor.WorkingDirectory, file.Path, OpenFlags.Path, out _);
        string path = opened is null ? file.Path : Files.ReadLink(FileDescriptor.WorkingDirectory, opened.ProcPath);
        return new PolicySubject(file.Format == ImageFileFormat.OciLayout ? "oci" : "oci-archive", [.. Parents(path), ""], null);
    }

    /// <summary>The scopes of a registry's images without the image itself, as registries.d has them too.</summary>
    internal IEnumerable<string> Namespaces => Scopes.SkipLast(1);

    /// <summary>The text itself and all above it: <c>a/b/c</c>, <c>a/b</c>, <c>a</c>.</summary>
    static IEnumerable<string> Parents(string path)
    {
        for (; path.Length > 0; path = path.LastIndexOf('/') is > 0 and var slash ? path[..slash] : "")
        {
            yield return path;
        }
    }

    /// <summary>All domains above the host, without a port: <c>*.example.com</c>, <c>*.com</c>.</summary>
    static IEnumerable<string> Wildcards(string host)
    {
        host = host.Split(':')[0];
        for (int dot = host.IndexOf('.'); dot >= 0; dot = host.IndexOf('.'))
        {
            host = host[(dot + 1)..];
            yield return "*." + host;
        }
    }
}
