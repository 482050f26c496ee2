using Nacelle.Trust;

namespace Nacelle.Images.Tests;

/// <summary>Servers that sign an image only when it is fetched, and say so by 202.</summary>
/// <remarks>appc 0.8.11, spec/discovery.md, "Validation".</remarks>
public sealed class DeferredSignatureTests : IDisposable
{
    static readonly byte[] Archive = AciBuilder.Make("example.com/app", ("file", "content"));

    readonly StoreScratch store = new();
    readonly string gnupg = $"/tmp/ns{Guid.NewGuid().ToString("n")[..12]}"; // short: a socket's path holds 107 bytes
    readonly byte[] signature;

    public DeferredSignatureTests()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gpg"), "gpg is not installed");
        Directory.CreateDirectory(gnupg, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllBytes($"{store.Scratch.Path}/app.aci", Archive);
        Gpg("--quick-gen-key Signer ed25519 sign never");
        Gpg("--armor --output app.aci.asc --detach-sign app.aci");
        Gpg("--output key --export Signer");
        signature = File.ReadAllBytes($"{store.Scratch.Path}/app.aci.asc");
        var key = Assert.Single(OpenPgpKey.ReadAll(File.ReadAllBytes($"{store.Scratch.Path}/key"), "key"));
        KeyStore.Add($"{store.Scratch.Path}/etc", "example.com/app", key);
        store.Options = store.Options with { Keys = new KeyStore([$"{store.Scratch.Path}/etc"]) };
    }

    public void Dispose()
    {
        store.Scratch.Shell($"GNUPGHOME={gnupg} gpgconf --kill all");
        Directory.Delete(gnupg, recursive: true);
        store.Dispose();
    }

    void Gpg(string arguments) => store.Scratch.Shell($"GNUPGHOME={gnupg} gpg --batch --quiet --pinentry-mode loopback --passphrase '' {arguments}");

    static bool IsSignature(ServerRequest request) => request.Path.EndsWith(".asc", StringComparison.Ordinal);

    [Fact]
    public async Task A_signature_that_is_made_while_the_image_is_fetched_is_asked_for_again_then()
    {
        bool fetched = false;
        using var server = new FaultyServer(request =>
        {
            fetched |= !IsSignature(request);
            return !IsSignature(request) ? new ServerAnswer(200, Archive) : fetched ? new ServerAnswer(200, signature) : new ServerAnswer(202, []);
        });
        var image = await store.FetchAsync(Specs.ImageName.Parse($"http://{server.Host}/app.aci"));
        Assert.Equal(Archive, store.Store.Content.Read(image.Id));
        Assert.Equal(["/app.aci.asc", "/app.aci", "/app.aci.asc"], server.Requests.Select(request => request.Path));
        Assert.Empty(store.Downloads());
    }

    [Fact]
    public async Task A_signature_that_is_promised_for_ever_is_told_in_one_line()
    {
        using var server = new FaultyServer(request => IsSignature(request) ? new ServerAnswer(202, []) : new ServerAnswer(200, Archive));
        await RefusedAsync(server, $"http://{server.Host}/app.aci.asc: the server has promised the signature and still not made it; try again later");
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task A_signature_that_was_promised_and_is_not_there_then_is_missing()
    {
        int asked = 0;
        using var server = new FaultyServer(request => IsSignature(request) ? new ServerAnswer(asked++ == 0 ? 202 : 404, []) : new ServerAnswer(200, Archive));
        await RefusedAsync(server, $"http://{server.Host}/app.aci.asc: not found");
    }

    [Fact]
    public async Task A_promised_signature_counts_no_less_than_another()
    {
        int asked = 0;
        byte[] other = AciBuilder.Make("example.com/app", ("file", "other"));
        using var server = new FaultyServer(request => !IsSignature(request) ? new ServerAnswer(200, other) : asked++ == 0 ? new ServerAnswer(202, []) : new ServerAnswer(200, signature));
        await RefusedAsync(server, "image example.com/app is not to be trusted: its signature is bad");
    }

    async Task RefusedAsync(FaultyServer server, string complaint)
    {
        var refused = await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(Specs.ImageName.Parse($"http://{server.Host}/app.aci")));
        Assert.StartsWith(complaint, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Empty(store.Store.List());
        Assert.Empty(store.Downloads());
    }
}
