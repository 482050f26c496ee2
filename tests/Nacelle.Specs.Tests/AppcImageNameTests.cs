namespace Nacelle.Specs.Tests;

public sealed class AppcImageNameTests
{
    [Theory]
    [InlineData("example.com/redis", "example.com/redis")]
    [InlineData("example.com/redis:3.0", "example.com/redis:3.0")]
    [InlineData("example.com/redis,version=3.0", "example.com/redis:3.0")]
    [InlineData("example.com/redis:3.0,os=linux,arch=amd64", "example.com/redis:3.0,arch=amd64,os=linux")]
    [InlineData("example.com/redis,channel=al%2Cpha", "example.com/redis,channel=al%2Cpha")]
    [InlineData("localhost/app", "localhost/app")]
    public void A_name_has_one_spelling(string text, string canonical)
    {
        var name = Assert.IsType<AppcImageName>(ImageName.Parse(text));
        Assert.Equal(canonical, name.ToString());
        Assert.Equal(name, ImageName.Parse(canonical));
    }

    [Theory]
    [InlineData("example.com/Redis", "'example.com/Redis' is not a valid name")]
    [InlineData("example.com/redis:", "label 'version' has no value")]
    [InlineData("example.com/redis:1,version=2", "label 'version' stands twice")]
    [InlineData("example.com/redis,os", "'os' is not a label")]
    [InlineData("example.com/redis,O=x", "label 'O' has no valid name")]
    [InlineData("example.com/redis,o=%0a", "control characters")]
    [InlineData("https://user:secret@example.com/a.aci", "must not hold a password")]
    [InlineData("https://", "is not a URL")]
    public void A_malformed_name_is_refused_with_the_reason(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<SpecException>(() => ImageName.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_password_in_an_address_is_not_repeated() =>
        Assert.DoesNotContain("secret", Assert.Throws<SpecException>(() => ImageName.Parse("https://user:secret@example.com/a.aci")).Message, StringComparison.Ordinal);

    [Fact]
    public void An_image_matches_that_has_at_least_the_labels()
    {
        var wanted = AppcImageName.Parse("example.com/redis:3.0,os=linux");
        Annotation[] labels = [new("version", "3.0"), new("os", "linux"), new("arch", "amd64")];
        Assert.True(wanted.Matches("example.com/redis", labels));
        Assert.False(wanted.Matches("example.com/redis", labels[1..]));
        Assert.False(wanted.Matches("example.com/redis-x", labels));
        Assert.Equal("example.com/redis:3.0,arch=amd64,os=linux", wanted.WithDefaults(new Annotation("arch", "amd64"), new Annotation("os", "plan9")).ToString());
    }

    [Theory]
    [InlineData("redis.aci")]
    [InlineData("dir/redis.aci")]
    public void A_file_may_be_known_by_its_ending(string text) => Assert.IsType<ImageFile>(ImageName.Parse(text));

    [Fact]
    public void An_address_is_an_image_too() => Assert.Equal("https://example.com/x.aci", Assert.IsType<ImageUrl>(ImageName.Parse("https://EXAMPLE.com/x.aci")).ToString());
}
