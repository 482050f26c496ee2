using CsCheck;

namespace Nacelle.Specs.Tests;

public sealed class ImageNameTests
{
    const string Digest64 = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("docker://redis", "docker.io", "library/redis", "latest")]
    [InlineData("docker:redis:7", "docker.io", "library/redis", "7")]
    [InlineData("docker://index.docker.io/redis", "docker.io", "library/redis", "latest")]
    [InlineData("docker://some/thing", "docker.io", "some/thing", "latest")]
    [InlineData("docker://localhost/a", "localhost", "a", "latest")]
    [InlineData("docker://localhost:5000/a/b/c:v1.2-x_y", "localhost:5000", "a/b/c", "v1.2-x_y")]
    [InlineData("docker://127.0.0.1:5000/redis", "127.0.0.1:5000", "redis", "latest")]
    [InlineData("docker://[::1]:5000/redis:7", "[::1]:5000", "redis", "7")]
    [InlineData("docker://Registry/a", "Registry", "a", "latest")]
    [InlineData("docker://a.b-c.d/x__y/z--w/p.q:T", "a.b-c.d", "x__y/z--w/p.q", "T")]
    public void A_reference_is_completed_by_the_customary_defaults(string text, string host, string repository, string tag)
    {
        var reference = Assert.IsType<ImageReference>(ImageName.Parse(text));
        Assert.Equal((host, repository, tag), (reference.Host, reference.Repository, reference.Tag));
    }

    [Fact]
    public void A_digest_counts_more_than_a_tag()
    {
        var reference = ImageReference.Parse($"docker://h.example/a:t@{Digest64}");
        Assert.Equal("t", reference.Tag);
        Assert.Equal(Digest64, reference.Selector);
        Assert.Null(ImageReference.Parse($"docker://h.example/a@{Digest64}").Tag);
    }

    [Theory]
    [InlineData("docker://")]
    [InlineData("docker://Redis/")]
    [InlineData("docker://h.example/Upper")]
    [InlineData("docker://h.example/a//b")]
    [InlineData("docker://h.example/a/")]
    [InlineData("docker://h.example/-a")]
    [InlineData("docker://h.example/a-")]
    [InlineData("docker://h.example/a..b")]
    [InlineData("docker://h.example/a___b")]
    [InlineData("docker://h.example/../a")]
    [InlineData("docker://h.example/a:")]
    [InlineData("docker://h.example/a:.t")]
    [InlineData("docker://h.example/a:t/u")]
    [InlineData("docker://h.example/a@sha256:12")]
    [InlineData("docker://h.example/a b")]
    [InlineData("docker://h.example/a?x=y")]
    [InlineData("docker://-h.example/a")]
    [InlineData("docker://h.example:99999/a")]
    [InlineData("docker://user@h.example/a")]
    [InlineData("docker://h.example/a\n")]
    public void A_malformed_reference_is_refused_and_quoted(string text) =>
        Assert.Contains(text.Replace('\n', '\uFFFD'), Assert.Throws<SpecException>(() => ImageName.Parse(text)).Message, StringComparison.Ordinal); // on one line

    [Fact]
    public void A_bare_name_is_refused_with_what_to_write_instead() =>
        Assert.Contains("docker://redis", Assert.Throws<SpecException>(() => ImageName.Parse("redis")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("oci:/a/b", ImageFileFormat.OciLayout, "/a/b", null)]
    [InlineData("oci:/a/b:tag", ImageFileFormat.OciLayout, "/a/b", "tag")]
    [InlineData("oci:/a/b:host.example/r:7", ImageFileFormat.OciLayout, "/a/b", "host.example/r:7")]
    [InlineData("oci:/a/b@" + Digest64, ImageFileFormat.OciLayout, "/a/b", "@" + Digest64)]
    [InlineData("oci-archive:/a.tar:t", ImageFileFormat.OciArchive, "/a.tar", "t")]
    [InlineData("docker-archive:/a.tar:redis:7", ImageFileFormat.DockerArchive, "/a.tar", "redis:7")]
    [InlineData("/a/../b.tar", ImageFileFormat.Detect, "/b.tar", null)]
    [InlineData("file:///b.tar", ImageFileFormat.Detect, "/b.tar", null)]
    public void A_file_is_named_by_transport_path_and_selector(string text, ImageFileFormat format, string path, string? selector) =>
        Assert.Equal(new ImageFile(format, path, selector), ImageName.Parse(text));

    [Theory]
    [InlineData("oci:")]
    [InlineData("oci:/a:")]
    [InlineData("oci:/a@sha256:12")]
    [InlineData("docker-archive::x")]
    public void A_malformed_file_name_is_refused(string text) => Assert.Throws<SpecException>(() => ImageName.Parse(text));

    [Fact]
    public void The_canonical_spelling_parses_to_the_same_name()
    {
        var host = Gen.OneOf(Array.ConvertAll<string, Gen<string>>(["docker.io", "localhost", "h.example:5000", "[::1]:80", "127.0.0.1"], Gen.Const));
        var repository = Gen.OneOf(Array.ConvertAll<string, Gen<string>>(["a", "library/redis", "x/y/z", "a-b.c_d__e"], Gen.Const));
        var tag = Gen.OneOf(Array.ConvertAll<string, Gen<string>>(["", ":latest", ":V1.0_x-y", "@" + Digest64, ":t@" + Digest64], Gen.Const));
        Gen.Select(host, repository, tag).Sample((h, r, t) =>
        {
            var name = ImageName.Parse($"docker://{h}/{r}{t}");
            return ImageName.Parse(name.ToString()) == name;
        });
        foreach (string text in new[] { "oci:/a:b", "oci:/a@" + Digest64, "oci-archive:/x", "docker-archive:/x:y/z:1", "/p" })
        {
            Assert.Equal(text, ImageName.Parse(text).ToString());
        }
    }

    [Fact]
    public void Whatever_is_written_either_parses_or_is_refused() =>
        Gen.String.Sample(text =>
        {
            try
            {
                ImageReference.Parse(text);
            }
            catch (SpecException)
            {
                // Refused, and that is the only exception there may be.
            }
        });
}
