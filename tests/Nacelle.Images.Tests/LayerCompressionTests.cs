using System.IO.Compression;
using System.Security.Cryptography;

namespace Nacelle.Images.Tests;

public class LayerCompressionTests
{
    static readonly byte[] Archive = new TarBuilder().File("x", new string('y', 100_000)).File("z", "last").Bytes();

    [Theory]
    [InlineData("cat")]
    [InlineData("gzip")]
    [InlineData("pigz -p2 -b128")]
    [InlineData("zstd -q")]
    [InlineData("zstd -q -19 --no-check")]
    public void The_compression_is_detected(string compressor)
    {
        using var scratch = new LayerScratch();
        System.IO.File.WriteAllBytes($"{scratch.Path}/in", Archive);
        scratch.Shell($"{compressor} <in >out");
        using var file = System.IO.File.OpenRead($"{scratch.Path}/out");
        Assert.Equal(SHA256.HashData(Archive), scratch.Unpack(file).DiffId);
        Assert.Equal(file.Length, file.Position);
    }

    [Theory]
    [InlineData("head -c 50000 in | gzip; tail -c +50001 in | gzip -1")]
    [InlineData("head -c 50000 in | zstd -q; tail -c +50001 in | zstd -q")]
    [InlineData("gzip <in; printf '' | gzip")]
    [InlineData("printf '\\120\\052\\115\\030\\004\\0\\0\\0skip'; zstd -q <in; printf '\\136\\052\\115\\030\\003\\0\\0\\0end'")]
    public void Several_members_or_frames_are_one_stream(string command)
    {
        using var scratch = new LayerScratch();
        System.IO.File.WriteAllBytes($"{scratch.Path}/in", Archive);
        scratch.Shell($"({command}) >out");
        using var file = System.IO.File.OpenRead($"{scratch.Path}/out");
        Assert.Equal(SHA256.HashData(Archive), scratch.Unpack(file).DiffId);
        Assert.Equal(file.Length, file.Position);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd -q")]
    public void Every_truncation_is_an_error(string compressor)
    {
        using var scratch = new LayerScratch();
        System.IO.File.WriteAllBytes($"{scratch.Path}/in", Archive);
        scratch.Shell($"{compressor} <in >out");
        var compressed = System.IO.File.ReadAllBytes($"{scratch.Path}/out");
        var accepted = new List<int>();
        for (int length = 1; length < compressed.Length; length++)
        {
            using var target = new LayerScratch();
            try
            {
                target.Unpack(new MemoryStream(compressed, 0, length));
                accepted.Add(length);
            }
            catch (LayerException)
            {
            }
        }

        Assert.True(accepted.Count == 0, $"{compressed.Length}: {string.Join(" ", accepted)}");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd -q")]
    public void Damaged_content_is_an_error(string compressor)
    {
        using var scratch = new LayerScratch();
        System.IO.File.WriteAllBytes($"{scratch.Path}/in", Archive);
        scratch.Shell($"{compressor} <in >out");
        var compressed = System.IO.File.ReadAllBytes($"{scratch.Path}/out");
        compressed[^5] ^= 0x10; // in gzip's checksum, and in zstd's last block or checksum
        Assert.Throws<LayerException>(() => scratch.Unpack(new MemoryStream(compressed)));
    }

    [Theory]
    [InlineData("xz")]
    [InlineData("bzip2")]
    public void Other_compressions_are_named_and_what_is_supported(string compressor)
    {
        using var scratch = new LayerScratch();
        System.IO.File.WriteAllBytes($"{scratch.Path}/in", Archive);
        scratch.Shell($"{compressor} <in >out");
        var refusal = Assert.Throws<LayerException>(() => scratch.Unpack(new MemoryStream(System.IO.File.ReadAllBytes($"{scratch.Path}/out"))));
        Assert.Equal($"layer: the archive is compressed with {compressor}; gzip, zstd and no compression are supported", refusal.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    public void A_stream_is_read_in_pieces_of_any_size(int size)
    {
        var content = TestImage.Noise(1, 10_000);
        using var compressed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(compressed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        compressed.Position = 0;
        using var plain = Decompression.Open(compressed);
        var read = new List<byte>();
        var piece = new byte[size];
        for (int count; (count = plain.Read(piece)) > 0;)
        {
            read.AddRange(piece.AsSpan(0, count));
        }

        Assert.Equal(content, read);
    }

    [Fact]
    public void Media_types_are_known_and_unknown_ones_refused()
    {
        Assert.Equal(LayerCompression.Zstd, Decompression.OfMediaType("application/vnd.oci.image.layer.v1.tar+zstd"));
        Assert.Equal(LayerCompression.Gzip, Decompression.OfMediaType("application/vnd.docker.image.rootfs.diff.tar.gzip"));
        Assert.Contains("'application/x-lz'", Assert.Throws<LayerException>(() => Decompression.OfMediaType("application/x-lz")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Errors_of_the_source_pass_through()
    {
        using var scratch = new LayerScratch();
        using var gzip = new MemoryStream();
        using (var compressor = new GZipStream(gzip, CompressionLevel.Fastest, leaveOpen: true))
        {
            compressor.Write(RandomNumberGenerator.GetBytes(100_000));
        }

        Assert.Equal("reset", Assert.Throws<IOException>(() => scratch.Unpack(new FailingStream(gzip.ToArray()))).Message);
    }

    sealed class FailingStream(byte[] content) : MemoryStream(content)
    {
        public override int Read(Span<byte> buffer)
        {
            if (Position >= 50)
            {
                throw new IOException("reset");
            }

            buffer[0] = (byte)ReadByte();
            return 1;
        }
    }
}
