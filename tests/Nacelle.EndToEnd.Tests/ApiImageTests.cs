using Grpc.Core;
using Nacelle.Services.V1Alpha;

namespace Nacelle.EndToEnd.Tests;

/// <summary>What rkt's API tells of images.</summary>
public sealed class ApiImageTests : IDisposable
{
    readonly Machine machine = new();
    readonly ApiService api;
    readonly string busybox, deep;

    public ApiImageTests()
    {
        busybox = machine.Nacelle("fetch", "--full", TestImages.Busybox).Output.Trim();
        deep = machine.Nacelle("fetch", "--full", TestImages.Volume).Output.Trim();
        api = ApiService.Start(machine);
    }

    public void Dispose()
    {
        api.Dispose();
        machine.Dispose();
    }

    Image[] List(params ImageFilter[] filters) => [.. api.Client.ListImages(new ListImagesRequest { Filters = { filters } }).Images];

    [Fact]
    public void Images_are_listed_and_inspected()
    {
        var image = List().Single(image => image.Id == busybox);
        Assert.Equal((ImageType.Oci, "busybox", true), (image.BaseFormat.Type, image.Version, image.Manifest.IsEmpty));
        Assert.True(image.Size > 0 && image.ImportTimestamp > DateTimeOffset.UtcNow.AddHours(-1).ToUnixTimeSeconds(), $"{image}");
        Assert.All(api.Client.ListImages(new ListImagesRequest { Detail = true }).Images, one => Assert.False(one.Manifest.IsEmpty));
        var inspected = api.Client.InspectImage(new InspectImageRequest { Id = busybox }).Image;
        Assert.Equal(image.Name, inspected.Name);
        Assert.Contains("\"acKind\":\"ImageManifest\"", inspected.Manifest.ToStringUtf8(), StringComparison.Ordinal);
        Assert.Equal(StatusCode.NotFound, Assert.Throws<RpcException>(() => api.Client.InspectImage(new InspectImageRequest { Id = "sha256-00" })).StatusCode);
    }

    [Fact]
    public void Filters_choose_images()
    {
        var image = api.Client.InspectImage(new InspectImageRequest { Id = busybox }).Image;
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Expect([busybox], new ImageFilter { Ids = { busybox, "sha256-00" } });
        Expect([busybox, deep], new ImageFilter { Prefixes = { image.Name[..5], "other" } });
        Expect([], new ImageFilter { Prefixes = { image.Name[1..] } });
        Expect([busybox, deep], new ImageFilter { BaseNames = { image.Name[(image.Name.LastIndexOf('/') + 1)..] } });
        Expect([], new ImageFilter { BaseNames = { image.Name[(image.Name.LastIndexOf('/') + 2)..] } });
        Expect([busybox, deep], new ImageFilter { Keywords = { image.Name[2..6] } });
        Expect([], new ImageFilter { Keywords = { "nowhere" } });
        Expect([busybox, deep], new ImageFilter { FullNames = { image.Name } });
        Expect([], new ImageFilter { FullNames = { image.Name[..^1] } });
        Expect([busybox], new ImageFilter { Labels = { image.Labels.Single(label => label.Key == "version"), image.Labels.Single(label => label.Key == "os") } });
        Expect([], new ImageFilter { Labels = { new KeyValue { Key = "os", Value = "plan9" } } });
        Expect([busybox], new ImageFilter { Annotations = { image.Annotations.Single(one => one.Key == "appc.io/docker/manifesthash") } });
        Expect([busybox, deep], new ImageFilter { ImportedAfter = now - 3600, ImportedBefore = now + 3600 });
        Expect([], new ImageFilter { ImportedAfter = now + 3600 });
        Expect([], new ImageFilter { ImportedBefore = now - 3600 });
        Expect([], new ImageFilter { Ids = { busybox }, Keywords = { "nowhere" } });
        Expect([busybox, deep], new ImageFilter { Ids = { busybox } }, new ImageFilter { Ids = { deep } });

        void Expect(string[] ids, params ImageFilter[] filters) => Assert.Equal(ids.Order(StringComparer.Ordinal), List(filters).Select(one => one.Id).Order(StringComparer.Ordinal));
    }
}
