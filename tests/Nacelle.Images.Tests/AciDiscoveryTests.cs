using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>What pages say of images. appc 0.8.11, spec/discovery.md.</summary>
public sealed class AciDiscoveryTests
{
    static readonly AppcImageName Name = AppcImageName.Parse("example.com/project/redis:3.0,os=linux,arch=amd64");

    static DiscoveredEndpoints Read(string head) => AciDiscovery.Read($"<!DOCTYPE html><html><head>{head}</head><body></body></html>", Name);

    [Fact]
    public void A_template_gets_the_names_labels()
    {
        var found = Read("""<meta name="ac-discovery" content="example.com/project https://storage.example.com/{os}/{arch}/{name}-{version}.{ext}?torrent">""");
        Assert.Equal(
            new AciEndpoint(
                new Uri("https://storage.example.com/linux/amd64/example.com/project/redis-3.0.aci?torrent"),
                new Uri("https://storage.example.com/linux/amd64/example.com/project/redis-3.0.aci.asc?torrent")),
            Assert.Single(found.Images));
    }

    [Theory]
    [InlineData("example.com", true)]
    [InlineData("example.com/", true)]
    [InlineData("example.com/project/redis", true)]
    [InlineData("example.com/project/redis-x", false)]
    [InlineData("example.com/pro", false)]
    [InlineData("example.org", false)]
    public void A_tag_counts_for_names_below_its_prefix(string prefix, bool counts) =>
        Assert.Equal(counts ? 1 : 0, Read($"""<meta name="ac-discovery" content="{prefix} https://h/{"{name}.{ext}"}">""").Images.Count);

    [Theory]
    [InlineData("https://h/{name}-{channel}.{ext}")] // a label that the name does not have
    [InlineData("ftp://h/{name}.{ext}")]
    [InlineData("{name}.{ext}")]
    [InlineData("https://h/{name}.{ext} more")]
    [InlineData("")]
    public void A_template_that_cannot_be_filled_is_passed_over(string template) =>
        Assert.Empty(Read($"""<meta name="ac-discovery" content="example.com {template}">""").Images);

    [Fact]
    public void Keys_and_images_come_in_the_pages_order()
    {
        var found = Read("""
            <meta name="ac-discovery-pubkeys" content="example.com https://h/one.gpg">
            <meta name="ac-discovery" content="example.com https://one/{name}.{ext}"><meta name="ac-discovery" content="example.com https://two/{name}.{ext}">
            <meta name="ac-discovery-pubkeys" content="example.com https://h/two.gpg"><meta name="ac-discovery-pubkeys" content="example.org https://h/three.gpg">
            """);
        Assert.Equal(["one", "two"], found.Images.Select(endpoint => endpoint.Image.Host));
        Assert.Equal(["https://h/one.gpg", "https://h/two.gpg"], found.PublicKeys.Select(key => key.AbsoluteUri));
    }

    [Theory]
    [InlineData("<META NAME=ac-discovery CONTENT='example.com https://h/{name}.{ext}' />")]
    [InlineData("<meta content=\"example.com\n   https://h/{name}.{ext}\" name=\"ac-discovery\"/>")]
    [InlineData("<meta\tname = 'ac-discovery'\n content = \"example.com&#32;https://h/{name}.{ext}\">")]
    [InlineData("<title></head></title><script>'</head>'</script><!-- </head> --><meta name=ac-discovery content='example.com https://h/{name}.{ext}'>")]
    [InlineData("<meta charset=utf-8><link rel=x href=/y><meta name=ac-discovery content='example.com https://h/{name}.{ext}'>")]
    public void A_page_may_be_written_as_browsers_take_it(string head) => Assert.Equal("https://h/example.com/project/redis.aci", Assert.Single(Read(head).Images).Image.AbsoluteUri);

    [Theory]
    [InlineData("<!-- <meta name=ac-discovery content='example.com https://h/{name}.{ext}'> -->")]
    [InlineData("<script><meta name=ac-discovery content='example.com https://h/{name}.{ext}'></script>")]
    [InlineData("</head><body><meta name=ac-discovery content='example.com https://h/{name}.{ext}'>")]
    public void What_is_not_in_the_head_does_not_count(string head) => Assert.Empty(Read(head).Images);

    [Fact]
    public void Pages_are_asked_from_the_name_upwards() =>
        Assert.Equal(["example.com/project/redis", "example.com/project", "example.com"], AciDiscovery.Walk(Name.Name));

    [Fact]
    public void Any_page_is_read_in_bounded_time()
    {
        string[] pieces = ["<meta ", "name", "=", "\"", "'", "ac-discovery", " content=", "example.com https://h/{name}.{ext}", ">", "<!--", "-->", "<script>", "</script>", "</head>", "<", "/", " ", "&#x", "\0", "é"];
        Gen.Int[0, pieces.Length - 1].Array[0, 60].Select(chosen => string.Concat(chosen.Select(i => pieces[i]))).Sample(page => AciDiscovery.Read(page, Name), iter: 5000);
        Assert.Empty(AciDiscovery.Read(string.Concat(Enumerable.Repeat("<meta a", 150_000)), Name).Images);
        Assert.Empty(AciDiscovery.Read(new string('<', 1 << 20), Name).Images);
    }
}
