using CsCheck;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Names, ids, removal: what the store says without any registry.</summary>
public sealed class ImageStoreTests
{
    static readonly IReadOnlySet<Digest> NoLayers = new HashSet<Digest>();

    [Fact]
    public async Task An_image_is_found_by_all_that_a_person_may_write()
    {
        using var scratch = new StoreScratch();
        var image = TestImage.OfNoise(1, 100);
        using var registry = new FaultyRegistry(image);
        var stored = await scratch.FetchAsync(registry.Name);
        string name = $"{registry.Host}/some/image:tag";
        foreach (string text in new[]
        {
            $"docker://{name}", $"docker:{name}", name, stored.Id.ToString(), stored.Id.FileName, stored.Id.Hex, stored.ShortId, stored.Id.Hex[..6],
            "sha256:" + stored.Id.Hex[..6], stored.Config.ToString(), stored.Config.Hex[..12],
        })
        {
            Assert.Equal(stored.Id, scratch.Store.Find(text)?.Id);
        }

        foreach (string text in new[] { "", "redis", name + "x", "sha256:", "0123456789abcdef", "oci:/nowhere", "..", "/", "A B" })
        {
            Assert.Null(scratch.Store.Find(text));
        }
    }

    [Fact]
    public async Task What_was_stored_is_read_again_by_another_process()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(TestImage.OfNoise(1, 100));
        var stored = await scratch.FetchAsync(registry.Name);
        using var other = ImageStore.Open(scratch.Path);
        var found = other.Find(registry.Name)!;
        Assert.Equal(stored with { LastUsed = default, Manifest = found.Manifest, Layout = found.Layout }, found with { LastUsed = default });
        Assert.Equal(["/bin/true"], other.ReadConfig(found).Config.Cmd);
        Assert.Single(other.ReadManifest(found).Layers);
    }

    [Fact]
    public async Task An_id_that_begins_several_images_is_refused()
    {
        using var scratch = new StoreScratch();
        var ids = new List<StoredImage>();
        for (int i = 0; i < 20; i++)
        {
            using var registry = new FaultyRegistry(TestImage.OfNoise(i, 10));
            ids.Add(await scratch.FetchAsync(registry.Name));
        }

        // Of twenty images two begin with the same one of sixteen digits.
        string digit = ids.GroupBy(image => image.Id.Hex[..1]).First(group => group.Count() > 1).Key;
        Assert.Contains("ambiguous", Assert.Throws<ImageException>(() => scratch.Store.Find(digit)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_a_name_and_the_beginning_of_an_id_is_the_name()
    {
        using var scratch = new StoreScratch();
        using var one = new FaultyRegistry(TestImage.OfNoise(1, 100));
        using var two = new FaultyRegistry(TestImage.OfNoise(2, 100));
        var first = await scratch.FetchAsync(one.Name);
        var second = await scratch.FetchAsync(two.Name);
        string beginning = first.Id.Hex[..4];
        Assert.Equal(first.Id, scratch.Store.Find(beginning)?.Id);
        scratch.Store.Add(second with { Name = $"docker://localhost/{beginning}:latest" });
        Assert.Equal(second.Id, scratch.Store.Find(beginning)?.Id);
        Assert.Equal(second.Id, RegistriesConfiguration.FindStored(scratch.Store, beginning)?.Id);
        foreach (string id in new[] { $"sha256:{beginning}", $"sha256-{beginning}", first.Id.Hex[..5], first.Id.Hex })
        {
            Assert.Equal(first.Id, scratch.Store.Find(id)?.Id);
        }

        Assert.Null(scratch.Store.Find($"sha512-{beginning}"));
    }

    [Fact]
    public async Task Removing_an_image_keeps_what_others_share()
    {
        using var scratch = new StoreScratch();
        var shared = TestImage.Tar("shared", TestImage.Noise(1, 1000));
        var first = new TestImage().AddLayer(shared).AddLayer(TestImage.Tar("one", [1])).Finish();
        var second = new TestImage().AddLayer(shared).AddLayer(TestImage.Tar("two", [2])).Finish();
        using var firstRegistry = new FaultyRegistry(first);
        using var secondRegistry = new FaultyRegistry(second);
        var removed = await scratch.FetchAsync(firstRegistry.Name);
        var kept = await scratch.FetchAsync(secondRegistry.Name);

        Assert.True(scratch.Store.Remove(removed, () => NoLayers));
        Assert.Null(scratch.Store.Find(firstRegistry.Name));
        scratch.RequireWhole(kept, second);
        Assert.Null(scratch.Store.Content.SizeOf(removed.Id));
        Assert.Null(scratch.Store.Content.SizeOf(first.Layers[1].Digest));
        Assert.False(scratch.Store.Layers.Contains(first.DiffIds[1]));
        Assert.Equal(kept.Id, Assert.Single(scratch.Store.List()).Id);
    }

    [Fact]
    public async Task Removing_one_of_two_names_keeps_the_image()
    {
        using var scratch = new StoreScratch();
        var image = TestImage.OfNoise(1, 100);
        using var registry = new FaultyRegistry(image);
        var other = ImageName.Parse($"docker://{registry.Host}/another/name");
        var stored = await scratch.FetchAsync(registry.Name);
        await scratch.FetchAsync(other);
        Assert.True(scratch.Store.Remove(stored, () => NoLayers));
        scratch.RequireWhole(scratch.Store.Find(other)!, image);
    }

    [Fact]
    public async Task Layers_that_a_pod_uses_outlive_their_image()
    {
        using var scratch = new StoreScratch();
        var image = TestImage.OfNoise(1, 100, 100);
        using var registry = new FaultyRegistry(image);
        var stored = await scratch.FetchAsync(registry.Name);
        Assert.True(scratch.Store.Remove(stored, () => new HashSet<Digest> { image.DiffIds[0] }));
        Assert.Equal([image.DiffIds[0]], scratch.Store.Layers.List());
        Assert.True(scratch.Store.Collect(() => NoLayers, TimeSpan.MaxValue));
        Assert.Empty(scratch.Store.Layers.List());
    }

    [Fact]
    public async Task Content_stays_while_somebody_holds_it()
    {
        using var scratch = new StoreScratch();
        var image = TestImage.OfNoise(1, 100);
        using var registry = new FaultyRegistry(image);
        var stored = await scratch.FetchAsync(registry.Name);
        using (scratch.Store.HoldContent())
        {
            Assert.False(scratch.Store.Remove(stored, () => NoLayers));
            Assert.NotNull(scratch.Store.Content.SizeOf(image.Layers[0].Digest));
            Assert.Null(scratch.Store.Find(registry.Name));
        }

        Assert.True(scratch.Store.Collect(() => NoLayers, TimeSpan.MaxValue));
        Assert.Null(scratch.Store.Content.SizeOf(image.Layers[0].Digest));
    }

    [Fact]
    public void Downloads_are_collected_when_they_are_old_and_nobody_is_at_them()
    {
        using var scratch = new StoreScratch();
        Files.EnsureDirectory(scratch.Scratch.Root, "data/ingest");
        Files.WriteAll(scratch.Scratch.Root, "data/ingest/sha256-old", "x");
        Files.WriteAll(scratch.Scratch.Root, "data/ingest/sha256-busy", "x");
        using var busy = Files.Open(scratch.Scratch.Root, "data/ingest/sha256-busy", OpenFlags.ReadOnly);
        FileLock.Acquire(busy, LockKind.Exclusive);
        Assert.True(scratch.Store.Collect(() => NoLayers, TimeSpan.FromHours(1)));
        Assert.Equal(2, scratch.Downloads().Length);
        Assert.True(scratch.Store.Collect(() => NoLayers, TimeSpan.Zero));
        Assert.EndsWith("sha256-busy", Assert.Single(scratch.Downloads()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_death_between_name_and_index_is_made_good_by_the_next_fetch()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(TestImage.OfNoise(1, 10));
        var stored = await scratch.FetchAsync(registry.Name);
        File.WriteAllText(scratch.Path + "/images/index.json", "{}");
        File.WriteAllText(scratch.Path + "/images/.index.json.1.1", "half");
        File.WriteAllText(scratch.Path + "/refs/.changing", "");
        File.WriteAllText(scratch.Path + "/refs/.docker.1.1", "half");
        await scratch.FetchAsync(registry.Name);
        var index = ImageIndex.Parse(File.ReadAllBytes(scratch.Path + "/images/index.json"));
        Assert.Equal(stored.Id, Assert.Single(index.Manifests).Digest);
        Assert.Empty(Directory.GetFiles(scratch.Path + "/refs", ".*"));
        Assert.Empty(Directory.GetFiles(scratch.Path + "/images", ".*"));
    }

    [Fact]
    public async Task Use_is_noted()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(TestImage.OfNoise(1, 10));
        var stored = await scratch.FetchAsync(registry.Name);
        Files.SetTimes(scratch.Scratch.Root, "data/refs/" + ImageStore.FileNameOf(stored.Name), default, default);
        Assert.Equal(DateTimeOffset.UnixEpoch, scratch.Store.Find(registry.Name)!.LastUsed);
        scratch.Store.MarkUsed(stored);
        Assert.True(scratch.Store.Find(registry.Name)!.LastUsed > stored.Imported.AddMinutes(-1));
    }

    [Fact]
    public async Task A_damaged_name_is_told_by_its_file()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(TestImage.OfNoise(1, 10));
        var stored = await scratch.FetchAsync(registry.Name);
        string file = ImageStore.FileNameOf(stored.Name);
        Files.WriteAll(scratch.Scratch.Root, "data/refs/" + file, "name x\n");
        Assert.Contains(file, Assert.Throws<ImageException>(() => scratch.Store.List()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_name_makes_one_path_component_and_different_names_different_ones()
    {
        Gen.Select(Gen.String, Gen.String).Sample((a, b) =>
        {
            string file = ImageStore.FileNameOf(a + "x");
            return file.Length is > 0 and <= 200 && !file.Contains('/') && file[0] != '.'
                && (a == b || Utf8(a) == Utf8(b)) == (file == ImageStore.FileNameOf(b + "x"));
        });
        string name = new('a', 300);
        Assert.NotEqual(ImageStore.FileNameOf(name + "1"), ImageStore.FileNameOf(name + "2"));
        Assert.Equal(200, ImageStore.FileNameOf(name).Length);

        static string Utf8(string text) => Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(text));
    }
}
