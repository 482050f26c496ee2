using Google.Protobuf;
using Nacelle.Images;
using Nacelle.Pods;
using Nacelle.Specs;
using Nacelle.Services.V1Alpha;
using Image = Nacelle.Services.V1Alpha.Image;

namespace Nacelle.Services;

/// <summary>Images as the API tells of them.</summary>
static class ImageMessages
{
    public static Image Of(ImageStore store, StoredImage stored, bool detail)
    {
        var manifest = AppImage.Read(store, stored).Manifest;
        var image = Of(stored.Id.FileName, manifest, detail);
        image.BaseFormat = FormatOf(stored);
        image.Version = stored.IsAci ? image.Version : TagOf(stored.DisplayName);
        image.ImportTimestamp = stored.Imported.ToUnixTimeSeconds();
        image.Size = stored.Size;
        return image;
    }

    /// <summary>What is known of an image that is perhaps no longer in the store.</summary>
    public static Image Of(string id, AppImageManifest manifest, bool detail)
    {
        var image = new Image { Id = id, Name = manifest.Name, Version = manifest.Label("version") ?? "", Manifest = detail ? ByteString.CopyFrom(manifest.ToJson()) : ByteString.Empty };
        image.Labels.AddRange(KeyValues.Of(manifest.Labels));
        image.Annotations.AddRange(KeyValues.Of(manifest.Annotations));
        return image;
    }

    public static bool Matches(this Image image, ImageFilter filter) =>
        (filter.Ids.Count == 0 || filter.Ids.Any(id => id.Replace(':', '-') == image.Id))
        && (filter.Prefixes.Count == 0 || filter.Prefixes.Any(prefix => image.Name.StartsWith(prefix, StringComparison.Ordinal)))
        && (filter.BaseNames.Count == 0 || filter.BaseNames.Contains(image.Name[(image.Name.LastIndexOf('/') + 1)..]))
        && (filter.Keywords.Count == 0 || filter.Keywords.Any(keyword => image.Name.Contains(keyword, StringComparison.Ordinal)))
        && (filter.FullNames.Count == 0 || filter.FullNames.Contains(image.Name))
        && (filter.ImportedAfter <= 0 || image.ImportTimestamp > filter.ImportedAfter)
        && (filter.ImportedBefore <= 0 || image.ImportTimestamp < filter.ImportedBefore)
        && filter.Labels.All(image.Labels.Contains)
        && filter.Annotations.All(image.Annotations.Contains);

    static ImageFormat FormatOf(StoredImage stored) =>
        stored.IsAci ? new ImageFormat { Type = ImageType.Appc, Version = PodManifest.AppcVersion }
        : stored.Manifest.MediaType == MediaTypes.DockerManifest ? new ImageFormat { Type = ImageType.Docker, Version = "2" } // its schema's version
        : new ImageFormat { Type = ImageType.Oci, Version = "1" };

    static string TagOf(string name)
    {
        name = name.Split('@')[0];
        int colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf('/') ? name[(colon + 1)..] : "";
    }
}
