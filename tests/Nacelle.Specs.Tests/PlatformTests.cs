namespace Nacelle.Specs.Tests;

public sealed class PlatformTests
{
    [Theory]
    [InlineData("linux/amd64", "linux/amd64", 0)]
    [InlineData("linux/amd64", "linux/x86_64", 0)]
    [InlineData("linux/arm64", "linux/arm64/v8", 0)]
    [InlineData("linux/arm64/v8", "linux/aarch64", 0)]
    [InlineData("linux/amd64/v3", "linux/amd64", 2)]
    [InlineData("linux/arm/v7", "linux/arm/v6", 1)]
    [InlineData("linux/arm", "linux/arm/v7", 0)]
    [InlineData("linux/armhf", "linux/arm/v5", 2)]
    [InlineData("linux/ppc64le", "linux/ppc64le", 0)]
    public void An_image_runs_where_its_variant_is_the_same_or_older(string wanted, string offered, int distance) =>
        Assert.Equal(distance, Platform.Parse(wanted).Distance(Platform.Parse(offered)));

    [Theory]
    [InlineData("linux/amd64", "linux/arm64")]
    [InlineData("linux/amd64", "windows/amd64")]
    [InlineData("linux/amd64", "linux/amd64/v2")]
    [InlineData("linux/arm/v6", "linux/arm/v7")]
    [InlineData("linux/arm64", "linux/arm/v7")]
    [InlineData("linux/amd64", "unknown/unknown")]
    public void An_image_does_not_run_elsewhere(string wanted, string offered) => Assert.Null(Platform.Parse(wanted).Distance(Platform.Parse(offered)));

    [Theory]
    [InlineData("")]
    [InlineData("linux")]
    [InlineData("linux/")]
    [InlineData("a/b/c/d")]
    public void What_is_no_platform_is_refused(string text) => Assert.Throws<SpecException>(() => Platform.Parse(text));

    [Fact]
    public void The_nearest_platform_of_an_index_is_chosen_and_the_first_of_equals()
    {
        var index = Index(("linux/arm/v5", 1), ("linux/arm/v6", 2), ("linux/arm/v6", 3), ("linux/arm64", 4), (null, 5));
        Assert.Equal(2, index.Choose(Platform.Parse("linux/arm/v7"))!.Size);
        Assert.Equal(4, index.Choose(Platform.Parse("linux/arm64"))!.Size);
    }

    [Fact]
    public void An_entry_without_platform_is_chosen_only_when_no_other_fits()
    {
        Assert.Equal(5, Index((null, 5), ("linux/arm64", 4)).Choose(Platform.Parse("linux/amd64"))!.Size);
        Assert.Equal(4, Index((null, 5), ("linux/arm64", 4)).Choose(Platform.Parse("linux/arm64"))!.Size);
        Assert.Null(Index(("linux/arm64", 4)).Choose(Platform.Parse("linux/amd64")));
    }

    static ImageIndex Index(params (string? Platform, int Size)[] entries) => new()
    {
        Manifests = [.. entries.Select(entry => new Descriptor
        {
            MediaType = MediaTypes.OciManifest,
            Size = entry.Size,
            Platform = entry.Platform is null ? null : Platform.Parse(entry.Platform),
        })],
    };
}
