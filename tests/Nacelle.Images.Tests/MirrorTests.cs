using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Mirrors, blocked registries and short names at work, and skopeo beside us with the same registries.conf.</summary>
public sealed class MirrorTests
{
    static readonly TestImage Image = TestImage.OfNoise(41, 4_000, 5_000), Other = TestImage.OfNoise(42, 3_000);

    static RegistriesConfiguration Parse(string toml) => RegistriesConfiguration.Empty.With(RegistriesFile.Parse(toml, "r.conf"), "r.conf");

    static StoreScratch NewStore(string toml, bool http = true)
    {
        var store = new StoreScratch();
        store.Options = store.Options with { Registry = store.Options.Registry with { InsecureHttp = http, Registries = Parse(toml) } };
        return store;
    }

    static string Mirrored(string place, params string[] mirrors) =>
        $"[[registry]]\nprefix = 'images.example'\nlocation = '{place}'\ninsecure = true\n" + string.Concat(mirrors.Select(mirror => $"[[registry.mirror]]\nlocation = '{mirror}'\ninsecure = true\n"));

    static readonly ImageName Name = ImageName.Parse("docker://images.example/some/image:tag");

    static ServerAnswer Unknown => ServerAnswer.Text(404, """{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}""");

    [Fact]
    public async Task The_first_mirror_that_has_the_image_gives_all_of_it()
    {
        using var empty = new FaultyRegistry(Image, (request, _, answer) => request.Path == "/v2/" ? answer : Unknown);
        using var full = new FaultyRegistry(Image);
        using var registry = new FaultyRegistry(Other);
        using var store = NewStore(Mirrored(registry.Host, empty.Host, full.Host + "/deep/er"), http: false);
        var stored = await store.FetchAsync(Name);
        store.RequireWhole(stored, Image);
        Assert.Equal(Name.ToString(), stored.Name);
        Assert.Empty(registry.Requests);
        Assert.Contains(full.Requests, request => request.Path.StartsWith("/v2/deep/er/some/image/blobs/", StringComparison.Ordinal));
        Assert.DoesNotContain(empty.Requests, request => request.Path.Contains("/blobs/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(500)]
    public async Task When_no_mirror_helps_the_registry_is_asked(int status)
    {
        using var mirror = new FaultyRegistry(Image, (request, _, answer) => request.Path == "/v2/" ? answer : ServerAnswer.Text(status, ""));
        using var registry = new FaultyRegistry(Image);
        using var store = NewStore(Mirrored(registry.Host, mirror.Host, "127.0.0.1:1"));
        store.RequireWhole(await store.FetchAsync(Name), Image);
        Assert.True(mirror.Requests.Count(request => request.Path != "/v2/") <= 2, "a mirror gets no more than two chances");
    }

    [Fact]
    public async Task What_a_mirror_cannot_give_comes_from_the_registry()
    {
        using var mirror = new FaultyRegistry(Image, (request, _, answer) => FaultyRegistry.IsBlob(request, Image.Layers[1]) ? Unknown : answer);
        using var registry = new FaultyRegistry(Image);
        using var store = NewStore(Mirrored(registry.Host, mirror.Host));
        store.RequireWhole(await store.FetchAsync(Name), Image);
        Assert.Contains(registry.Requests, request => FaultyRegistry.IsBlob(request, Image.Layers[1]));
    }

    [Fact]
    public async Task A_mirror_cannot_change_what_a_digest_names()
    {
        using var mirror = new FaultyRegistry(Other, (request, _, answer) => request.Path.Contains("/manifests/", StringComparison.Ordinal)
            ? new ServerAnswer(200, Other.Blobs[Other.Manifest.Digest.ToString()], ("Content-Type", Other.Manifest.MediaType)) : answer);
        using var registry = new FaultyRegistry(Image);
        using var store = NewStore(Mirrored(registry.Host, mirror.Host));
        store.RequireWhole(await store.FetchAsync(ImageName.Parse($"docker://images.example/some/image@{Image.Manifest.Digest}")), Image);
    }

    [Fact]
    public async Task The_failure_that_is_told_is_the_registrys()
    {
        using var mirror = new FaultyRegistry(Image, (request, _, answer) => request.Path == "/v2/" ? answer : Unknown);
        using var registry = new FaultyRegistry(Image, (request, _, answer) => request.Path == "/v2/" ? answer : Unknown);
        using var store = NewStore(Mirrored(registry.Host, mirror.Host));
        var failure = await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(Name));
        Assert.Equal($"image not found: registry {registry.Host} says of images.example/some/image:tag: manifest unknown (404)", failure.Message);
    }

    [Fact]
    public async Task A_mirror_without_TLS_must_be_allowed_by_its_own_entry()
    {
        using var mirror = new FaultyRegistry(Image);
        using var registry = new FaultyRegistry(Image);
        using var store = NewStore(Mirrored(registry.Host) + $"[[registry.mirror]]\nlocation = '{mirror.Host}'", http: false);
        store.RequireWhole(await store.FetchAsync(Name), Image);
        Assert.Empty(mirror.Requests);
    }

    [Fact]
    public async Task Nothing_is_asked_of_a_blocked_registry()
    {
        using var registry = new FaultyRegistry(Image);
        using var store = NewStore($"[[registry]]\nlocation = '{registry.Host}'\nblocked = true");
        var failure = await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(registry.Name));
        Assert.Equal($"{registry.Host}/some/image:tag is blocked: r.conf says so of {registry.Host}", failure.Message);
        Assert.Empty(registry.Requests);
    }

    [Fact]
    public async Task A_short_name_is_looked_for_in_the_search_registries_and_stored_by_its_whole_one()
    {
        using var empty = new FaultyRegistry(Image, (request, _, answer) => request.Path == "/v2/" ? answer : Unknown);
        using var full = new FaultyRegistry(Image);
        using var store = NewStore($"unqualified-search-registries = ['{empty.Host}', '{full.Host}']");
        var stored = await new ImageFetcher(store.Store, store.Options, store.Progress).FetchAsync("docker://some/image:tag", CancellationToken.None);
        Assert.Equal($"docker://{full.Host}/some/image:tag", stored.Name);
        Assert.Equal(stored.Id, store.Options.Registry.Registries.FindStoredShort(store.Store, "docker://some/image:tag")?.Id);

        // What is here is not looked for elsewhere again.
        int asked = empty.Requests.Count;
        store.Options = store.Options with { PullPolicy = PullPolicy.New };
        await new ImageFetcher(store.Store, store.Options, store.Progress).FetchAsync("docker://some/image:tag", CancellationToken.None);
        Assert.Equal(asked, empty.Requests.Count);
    }

    [Fact]
    public async Task An_alias_that_changed_is_not_answered_with_what_another_registry_had_under_the_name()
    {
        using var registry = new FaultyRegistry(Image);
        using var store = NewStore($"[aliases]\n'some/image' = '{registry.Host}/some/image'");
        await store.FetchAsync(registry.Name);
        Assert.NotNull(store.Options.Registry.Registries.FindStoredShort(store.Store, "some/image:tag"));
        Assert.Null(Parse("[aliases]\n'some/image' = 'quay.io/some/image'").FindStoredShort(store.Store, "some/image:tag"));
        Assert.Null(RegistriesConfiguration.Empty.FindStoredShort(store.Store, "docker://some/image:tag"));
    }

    [Fact]
    public async Task A_short_name_that_is_nowhere_is_refused_with_all_that_was_said()
    {
        using var one = new FaultyRegistry(Image, (request, _, answer) => request.Path == "/v2/" ? answer : Unknown);
        using var two = new FaultyRegistry(Image, (request, _, answer) => request.Path == "/v2/" ? answer : Unknown);
        using var store = NewStore($"unqualified-search-registries = ['{one.Host}', '{two.Host}']");
        var failure = await Assert.ThrowsAsync<ImageException>(() => new ImageFetcher(store.Store, store.Options, store.Progress).FetchAsync("docker://x", CancellationToken.None));
        Assert.StartsWith($"docker://x is in none of {one.Host}, {two.Host}: ", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A docker-registry behind a name that no name service knows, and a mirror that is not there; skopeo and we go by the same file.</summary>
    [Theory]
    [InlineData("[[registry]]\nprefix = 'images.example/team'\nlocation = '{0}/store'\ninsecure = true", "images.example/team/app:1")]
    [InlineData("[[registry]]\nlocation = 'images.example'\n[[registry.mirror]]\nlocation = '127.0.0.1:1'\ninsecure = true\n[[registry.mirror]]\nlocation = '{0}/store'\ninsecure = true", "images.example/app:1")]
    [InlineData("[[registry]]\nprefix = '*.images.example'\nlocation = '{0}/store'\ninsecure = true", "deep.images.example/app:1")]
    [InlineData("[[registry]]\nprefix = 'images.example'\nlocation = 'nowhere.example'\n[[registry]]\nprefix = 'images.example/app'\nlocation = '{0}/store/app'\ninsecure = true", "images.example/app:1")]
    public void Skopeo_finds_the_same_image_by_the_same_file(string toml, string name)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/skopeo"), "skopeo is not installed");
        using var store = new StoreScratch();
        using var registry = new DockerRegistry(store.Scratch);
        Image.WriteLayout($"{store.Scratch.Path}/image", "it");
        store.Scratch.Shell($"skopeo copy --insecure-policy --dest-tls-verify=false oci:image:it docker://{registry.Host}/store/app:1");
        string file = $"{store.Scratch.Path}/registries.conf";
        File.WriteAllText(file, string.Format(null, toml, registry.Host));
        string theirs = store.Scratch.Shell($"skopeo --registries-conf {file} inspect --raw docker://{name} | sha256sum")[..64];
        var ours = FetchProgram.Wait(FetchProgram.Start(store.Path, ["--insecure-options=image", "--full", $"docker://{name}"], ("CONTAINERS_REGISTRIES_CONF", file)));
        Assert.True(ours.ExitCode == 0, ours.Errors);
        var stored = store.Store.Find(ImageName.Parse($"docker://{name}"));
        Assert.Equal(theirs, stored?.Resolved.Hex);
    }

    [Fact]
    public void What_skopeo_is_refused_we_are_refused()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/skopeo"), "skopeo is not installed");
        using var store = new StoreScratch();
        string file = $"{store.Scratch.Path}/registries.conf";
        File.WriteAllText(file, "[[registry]]\nprefix = '*.images.example'\nblocked = true");
        store.Scratch.Shell($"! skopeo --registries-conf {file} inspect docker://a.images.example/app 2>said && grep -q blocked said");
        var ours = FetchProgram.Wait(FetchProgram.Start(store.Path, ["--insecure-options=image", "docker://a.images.example/app"], ("CONTAINERS_REGISTRIES_CONF", file)));
        Assert.Equal(254, ours.ExitCode);
        Assert.Equal($"nacelle: a.images.example/app:latest is blocked: {file} says so of *.images.example\n", ours.Errors);
    }
}
