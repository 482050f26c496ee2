using System.Globalization;
using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>What is remembered of a file that was fetched by its address, so that it is not fetched again unchanged: one small file each in <c>remotes/</c>.</summary>
/// <param name="Image">The id of the ACI that it held.</param>
/// <param name="EntityTag">As the server gave it, or null.</param>
/// <param name="FreshUntil">Until then the server need not even be asked (RFC 9111, 4.2).</param>
sealed record RemoteFile(Uri Address, Digest Image, string? EntityTag, DateTimeOffset FreshUntil)
{
    const string DirectoryName = "remotes";

    public static RemoteFile? Find(ImageStore store, Uri address)
    {
        var text = Files.TryReadText(store.Data, $"{DirectoryName}/{FileNameOf(address)}");
        var lines = (text ?? "").Split('\n').Select(line => line.Split(' ', 2)).Where(parts => parts.Length == 2).ToLookup(parts => parts[0], parts => parts[1]);
        return lines["address"].FirstOrDefault() == address.AbsoluteUri
            && Digest.TryParse(lines["image"].FirstOrDefault(), out var image)
            && long.TryParse(lines["fresh-until"].FirstOrDefault(), CultureInfo.InvariantCulture, out long until)
            ? new RemoteFile(address, image, lines["etag"].FirstOrDefault(), DateTimeOffset.FromUnixTimeMilliseconds(until)) : null;
    }

    public void Write(ImageStore store)
    {
        Files.EnsureDirectory(store.Data, DirectoryName);
        using var directory = Files.Open(store.Data, DirectoryName, OpenFlags.ReadOnly | OpenFlags.Directory);
        Files.Replace(directory, FileNameOf(Address), Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"address {Address.AbsoluteUri}\nimage {Image}\nfresh-until {FreshUntil.ToUnixTimeMilliseconds()}\n{(EntityTag is null ? "" : $"etag {EntityTag}\n")}")));
    }

    /// <summary>Forgets files whose images are not in the store any more.</summary>
    public static void Sweep(FileDescriptor data, Func<Digest, bool> exists)
    {
        foreach (var (name, _) in Directories.ListOrEmpty(data, DirectoryName))
        {
            var image = Files.TryReadText(data, $"{DirectoryName}/{name}")?.Split('\n').FirstOrDefault(line => line.StartsWith("image ", StringComparison.Ordinal));
            if (image is null || !Digest.TryParse(image[6..], out var digest) || !exists(digest))
            {
                Files.TryUnlink(data, $"{DirectoryName}/{name}");
            }
        }
    }

    static string FileNameOf(Uri address) => ImageStore.FileNameOf(address.AbsoluteUri);
}
