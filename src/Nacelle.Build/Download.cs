using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>A URL that ADD names. It is fetched when its content has to be known: for the key unless a checksum says it, and for the layer.</summary>
sealed class Download : IDisposable
{
    readonly BuildSession session;
    readonly Digest? checksum;
    FileDescriptor? directory;

    public Download(BuildSession session, string url, string? checksum)
    {
        this.session = session;
        Url = url;
        try
        {
            this.checksum = checksum is null ? null : Digest.Parse(checksum);
        }
        catch (FormatException problem)
        {
            throw new BuildException($"--checksum: {problem.Message}");
        }
    }

    public string Url { get; }

    public string FileName => Uri.TryCreate(Url, UriKind.Absolute, out var uri) && Path.GetFileName(Uri.UnescapeDataString(uri.AbsolutePath)) is { Length: > 0 } name && name is not ("." or "..") ? name
        : throw new BuildException($"{Url} has no file name: name the file in the destination");

    /// <summary>The digest of the content.</summary>
    public string Identity => checksum?.ToString() ?? Digest.Sha256(SHA256.HashData(Read())).ToString();

    public byte[] Read()
    {
        if (directory is null)
        {
            directory = session.Work.MakeDirectory();
            session.Host.Download(Url, checksum?.ToString(), Files.ReadLink(FileDescriptor.WorkingDirectory, directory.ProcPath) + "/content");
        }

        return Files.ReadAll(directory, "content");
    }

    public void Dispose() => directory?.Dispose();
}
