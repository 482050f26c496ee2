using System.Text;

namespace Nacelle.Images.Tests;

/// <summary>Makes appc images.</summary>
static class AciBuilder
{
    public static string Manifest(string name, string more = "") =>
        $$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"{{name}}","labels":[{"name":"version","value":"1.0"},{"name":"os","value":"linux"},{"name":"arch","value":"{{Specs.Platform.Current.AppcArchitecture}}"}]{{more}}}""";

    /// <param name="files">Below rootfs; a path that ends in a slash is a directory.</param>
    public static byte[] Make(string name, string more, params (string Path, string Content)[] files)
    {
        var archive = new TarBuilder().File("manifest", Manifest(name, more)).Directory("rootfs");
        foreach (var (path, content) in files)
        {
            _ = path.EndsWith('/') ? archive.Directory("rootfs/" + path) : archive.File("rootfs/" + path, content);
        }

        return archive.Bytes();
    }

    public static byte[] Make(string name, params (string Path, string Content)[] files) => Make(name, "", files);

    public static byte[] Compress(LayerScratch scratch, byte[] archive, string program)
    {
        File.WriteAllBytes($"{scratch.Path}/plain", archive);
        scratch.Shell($"{program} <plain >compressed");
        return File.ReadAllBytes($"{scratch.Path}/compressed");
    }

    public static string Depends(params string[] names) => $$""","dependencies":[{{string.Join(',', names.Select(name => $$"""{"imageName":"{{name}}"}"""))}}]""";

    public static string Whitelist(params string[] paths) => $$""","pathWhitelist":[{{string.Join(',', paths.Select(path => $"\"{path}\""))}}]""";

    public static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
