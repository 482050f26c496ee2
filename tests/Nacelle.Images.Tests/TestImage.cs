using System.IO.Compression;
using System.Text;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>An image made in memory: its documents and blobs by digest.</summary>
sealed class TestImage
{
    readonly List<Descriptor> layers = [];
    readonly List<Digest> diffIds = [];

    public Dictionary<string, byte[]> Blobs { get; } = new(StringComparer.Ordinal);

    public Descriptor Manifest { get; private set; } = new();

    public IReadOnlyList<Descriptor> Layers => layers;

    public IReadOnlyList<Digest> DiffIds => diffIds;

    public Descriptor Config { get; private set; } = new();

    /// <summary>An image with one gzip layer per entry, of that many bytes of noise in a file.</summary>
    public static TestImage OfNoise(int seed, params int[] sizes)
    {
        var image = new TestImage();
        for (int i = 0; i < sizes.Length; i++)
        {
            image.AddLayer(Tar($"file{i}", Noise(seed + i, sizes[i])));
        }

        return image.Finish();
    }

    public static byte[] Noise(int seed, int size)
    {
        var noise = new byte[size];
        new Random(seed).NextBytes(noise);
        return noise;
    }

    public static byte[] Tar(string name, byte[] content) => new TarBuilder().Entry('0', name, content).Bytes();

    public TestImage AddLayer(byte[] tar, LayerFormat format = LayerFormat.TarGzip, bool docker = false)
    {
        diffIds.Add(ContentStore.DigestOf(tar));
        var (content, mediaType) = format switch
        {
            LayerFormat.TarGzip => (Gzip(tar), docker ? MediaTypes.DockerLayerGzip : MediaTypes.OciLayerGzip),
            LayerFormat.TarZstd => (new ZstdSharp.Compressor().Wrap(tar).ToArray(), MediaTypes.OciLayerZstd),
            _ => (tar, docker ? MediaTypes.DockerLayer : MediaTypes.OciLayer),
        };
        layers.Add(Put(content, mediaType));
        return this;
    }

    public TestImage Finish(bool docker = false, string architecture = "", string extra = "")
    {
        architecture = architecture.Length > 0 ? architecture : Platform.Current.Architecture;
        string ids = string.Join(',', diffIds.Select(id => $"\"{id}\""));
        var config = $$$"""{"os":"linux","architecture":"{{{architecture}}}","config":{"Cmd":["/bin/true"] {{{extra}}} },"rootfs":{"type":"layers","diff_ids":[{{{ids}}}]}}""";
        Config = Put(Encoding.UTF8.GetBytes(config), docker ? MediaTypes.DockerConfig : MediaTypes.OciConfig);
        var manifest = new ImageManifest { MediaType = docker ? MediaTypes.DockerManifest : MediaTypes.OciManifest, Config = Config, Layers = layers };
        Manifest = Put(manifest.ToJson(), manifest.MediaType);
        return this;
    }

    public Descriptor Put(byte[] content, string mediaType)
    {
        var digest = ContentStore.DigestOf(content);
        Blobs[digest.ToString()] = content;
        return new Descriptor { MediaType = mediaType, Digest = digest, Size = content.Length };
    }

    /// <summary>Writes an OCI layout in which the image has the given tag.</summary>
    public void WriteLayout(string directory, string tag)
    {
        foreach (var (digest, content) in Blobs)
        {
            string path = Path.Combine(directory, "blobs", digest.Replace(':', '/'));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }

        File.WriteAllBytes(Path.Combine(directory, "oci-layout"), new ImageLayoutFile().ToJson());
        var named = Manifest with { Annotations = new Dictionary<string, string> { [Descriptor.ReferenceName] = tag } };
        File.WriteAllBytes(Path.Combine(directory, "index.json"), new ImageIndex { Manifests = [named] }.ToJson());
    }

    /// <summary>Writes an OCI layout in which the index has the given tag.</summary>
    public void WriteIndexLayout(string directory, string tag, ImageIndex index)
    {
        var manifest = Manifest;
        Manifest = Put(index.ToJson(), MediaTypes.OciIndex);
        WriteLayout(directory, tag);
        Manifest = manifest;
    }

    static byte[] Gzip(byte[] content)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }
}
