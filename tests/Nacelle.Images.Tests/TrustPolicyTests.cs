using System.Security.Cryptography;
using System.Text;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images.Tests;

/// <summary>Policies of podman's kind, asked about images of a registry and in files; signatures as cosign stores them.</summary>
public sealed class TrustPolicyTests : IDisposable
{
    readonly StoreScratch store = new();
    readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose()
    {
        key.Dispose();
        store.Dispose();
    }

    void Decide(string requirements, string transport = "docker", string scope = "") => store.Options = store.Options with
    {
        Policy = TrustPolicy.Parse(
            Encoding.UTF8.GetBytes("""{"default":[{"type":"reject"}],"transports":{"TRANSPORT":{"SCOPE":[REQUIREMENTS]}}}"""
                .Replace("TRANSPORT", transport, StringComparison.Ordinal).Replace("SCOPE", scope, StringComparison.Ordinal).Replace("REQUIREMENTS", requirements, StringComparison.Ordinal)),
            "policy.json"),
    };

    string Signed => """{"type":"sigstoreSigned","keyData":"KEY","signedIdentity":{"type":"matchRepository"}}"""
        .Replace("KEY", Convert.ToBase64String(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem())), StringComparison.Ordinal);

    DockerRegistry Serve(TestImage image)
    {
        var registry = new DockerRegistry(store.Scratch);
        image.WriteLayout(store.Scratch.Path + "/layout", "t");
        store.Scratch.Shell($"skopeo copy -q --dest-tls-verify=false oci:layout:t docker://{registry.Host}/some/image:1");
        return registry;
    }

    /// <summary>Signs as cosign does, by its key or another's, for this image or another.</summary>
    async Task SignAsync(DockerRegistry registry, Digest manifest, string name, ECDsa signer, Digest? tagged = null)
    {
        var claim = Encoding.UTF8.GetBytes("""{"critical":{"identity":{"docker-reference":"NAME"},"image":{"docker-manifest-digest":"DIGEST"},"type":"cosign container image signature"},"optional":null}"""
            .Replace("NAME", name, StringComparison.Ordinal).Replace("DIGEST", manifest.ToString(), StringComparison.Ordinal));
        using var repository = new RegistryRepository(registry.Host, "some/image", store.Options.Registry);
        var layer = new Descriptor
        {
            MediaType = SigstoreSignature.MediaType, Digest = ContentStore.DigestOf(claim), Size = claim.Length,
            Annotations = new Dictionary<string, string> { [SigstoreSignature.Annotation] = Convert.ToBase64String(signer.SignData(claim, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)) },
        };
        var config = Encoding.UTF8.GetBytes("{}");
        var configured = new Descriptor { MediaType = MediaTypes.OciConfig, Digest = ContentStore.DigestOf(config), Size = config.Length };
        await repository.PutBlobAsync(layer, claim, default);
        await repository.PutBlobAsync(configured, config, default);
        var text = new ImageManifest { MediaType = MediaTypes.OciManifest, Config = configured, Layers = [layer] }.ToJson();
        await repository.PutManifestAsync(
            SigstoreSignature.TagOf(tagged ?? manifest), new SourceDocument(new Descriptor { MediaType = MediaTypes.OciManifest, Digest = ContentStore.DigestOf(text), Size = text.Length }, text), default);
    }

    async Task RefusedAsync(ImageName name, string reason)
    {
        var refused = await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(name));
        Assert.StartsWith($"{name} is not to be trusted: policy.json ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Empty(store.Store.List());
        Assert.Empty(store.Store.Content.List());
    }

    [Fact]
    public async Task Without_a_policy_nothing_is_taken_and_what_is_stored_stays_to_be_found()
    {
        using var registry = new FaultyRegistry(TestImage.OfNoise(1, 10));
        TestImage.OfNoise(2, 10).WriteLayout(store.Scratch.Path + "/layout", "t");
        store.Options = store.Options with { Policy = null };
        foreach (var name in new[] { registry.Name, ImageName.Parse($"oci:{store.Scratch.Path}/layout:t") })
        {
            var refused = await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(name));
            Assert.Equal($"{name} is not to be trusted: there is no policy that says so; write /etc/containers/policy.json, or take the image unsigned by --insecure-options=image", refused.Message);
            Assert.Empty(store.Store.List());
            Assert.Empty(store.Store.Content.List());
        }

        Assert.Empty(registry.Requests);
        store.Options = store.Options with { InsecureImage = true };
        var stored = await store.FetchAsync(registry.Name);
        store.Options = store.Options with { InsecureImage = false, PullPolicy = PullPolicy.New };
        Assert.Equal(stored.Id, (await store.FetchAsync(registry.Name)).Id);
    }

    [Fact]
    public async Task What_is_rejected_is_not_even_asked_for()
    {
        using var registry = new FaultyRegistry(TestImage.OfNoise(1, 10));
        Decide("""{"type":"reject"}""");
        await RefusedAsync(registry.Name, "rejects it");
        Assert.Empty(registry.Requests);
        store.Options = store.Options with { InsecureImage = true };
        await store.FetchAsync(registry.Name);
    }

    [Fact]
    public async Task The_most_precise_scope_decides()
    {
        using var registry = new FaultyRegistry(TestImage.OfNoise(1, 10));
        Decide("""{"type":"insecureAcceptAnything"}""", scope: $"{registry.Host}/some");
        await store.FetchAsync(registry.Name);
    }

    [Fact]
    public async Task Files_have_scopes_of_their_own()
    {
        TestImage.OfNoise(1, 10).WriteLayout(store.Scratch.Path + "/layout", "t");
        var name = ImageName.Parse($"oci:{store.Scratch.Path}/layout:t");
        Decide("""{"type":"insecureAcceptAnything"}""", "oci", "/nowhere");
        await RefusedAsync(name, "rejects it");
        Decide("""{"type":"insecureAcceptAnything"}""", "oci", store.Scratch.Path);
        await store.FetchAsync(name);
    }

    [Fact]
    public async Task An_image_whose_key_the_policy_names_is_accepted()
    {
        var image = TestImage.OfNoise(1, 10, 20);
        using var registry = Serve(image);
        var name = ImageName.Parse($"docker://{registry.Host}/some/image:1");
        Decide(Signed);
        await RefusedAsync(name, "there is none");
        await SignAsync(registry, image.Manifest.Digest, $"{registry.Host}/some/image", key);
        store.RequireWhole(await store.FetchAsync(name), image);
    }

    [Fact]
    public async Task What_we_sign_openssl_and_we_accept_and_signatures_add_up()
    {
        var image = TestImage.OfNoise(1, 10, 20);
        using var registry = Serve(image);
        var name = ImageReference.Parse($"docker://{registry.Host}/some/image:1");
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(store.Scratch.Path + "/key.pub", key.ExportSubjectPublicKeyInfoPem());
        foreach (var signer in new[] { key, other })
        {
            using var own = SigstorePrivateKey.Parse(Encoding.ASCII.GetBytes(signer.ExportPkcs8PrivateKeyPem()), null, "key");
            Assert.Equal(
                [SigstoreSignature.TagOf(image.Manifest.Digest)],
                await new ImageSigning(name, SignedReference.Of(name).ToString(), store.Options.Registry).SignSigstoreAsync(own, default));
        }

        // Debian's skopeo stores such signatures, but checks none: "Debian-local change: sigstore disabled".
        store.Scratch.Shell($"""
            skopeo copy -q --src-tls-verify=false docker://{registry.Host}/some/image:{SigstoreSignature.TagOf(image.Manifest.Digest)} dir:signatures
            test "$(jq '.layers | length' signatures/manifest.json)" = 2
            jq -r '.layers[0].annotations["{SigstoreSignature.Annotation}"]' signatures/manifest.json | base64 -d >numbers
            openssl dgst -sha256 -verify key.pub -signature numbers "signatures/$(jq -r '.layers[0].digest[7:]' signatures/manifest.json)"
            """);
        Decide(Signed);
        store.RequireWhole(await store.FetchAsync(name), image);
    }

    [Fact]
    public async Task What_skopeo_signs_by_GnuPG_we_accept_and_what_we_sign_skopeo_accepts()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gpg"), "there is no gpg");
        var home = Directory.CreateTempSubdirectory("ngpg").FullName; // short: a socket's path holds 107 bytes
        string Run(string command) => store.Scratch.Shell($"export GNUPGHOME={home}; {command}");
        try
        {
            Run("gpg --batch --passphrase '' --quick-generate-key Signer ed25519 sign never 2>/dev/null; gpg --armor --export Signer >key.asc");
            var image = TestImage.OfNoise(1, 10, 20);
            using var registry = Serve(image);
            var name = ImageReference.Parse($"docker://{registry.Host}/some/image:1");
            var places = store.Scratch.Path + "/registries.d";
            Directory.CreateDirectory(places);
            File.WriteAllText(places + "/all.yaml", $"default-docker:\n  lookaside: file://{store.Scratch.Path}/signatures\n");
            store.Options = store.Options with { Lookaside = LookasideConfiguration.Load(places) };
            var requirement = """{"type":"signedBy","keyType":"GPGKeys","keyPath":"PATH/key.asc"}""".Replace("PATH", store.Scratch.Path, StringComparison.Ordinal);
            Decide(requirement);
            await RefusedAsync(name, "there is none");
            Run($"skopeo --registries.d registries.d copy -q --dest-tls-verify=false --sign-by $(gpg --list-keys --with-colons Signer | awk -F: '/^fpr/ {{ print $10; exit }}') oci:layout:t {name}");
            store.RequireWhole(await store.FetchAsync(name), image);

            // The other way round, under another name, which the first signature does not state.
            var second = ImageReference.Parse($"docker://{registry.Host}/some/image:2");
            Run($"skopeo copy -q --dest-tls-verify=false oci:layout:t {second}");
            File.WriteAllText(store.Scratch.Path + "/policy.json", $$"""{"default":[{{requirement}}]}""");
            var check = $"skopeo --policy policy.json --registries.d registries.d copy -q --src-tls-verify=false {second} dir:copy";
            Run($"! {check}");
            await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(second));
            Environment.SetEnvironmentVariable("GNUPGHOME", home);
            await new ImageSigning(second, SignedReference.Of(second).ToString(), store.Options.Registry).SignSimpleAsync(new OpenPgpSigner("Signer"), store.Options.Lookaside!, default);
            Run(check);
            await store.FetchAsync(second);
        }
        finally
        {
            Environment.SetEnvironmentVariable("GNUPGHOME", null);
            Run("gpgconf --kill all");
            Directory.Delete(home, recursive: true);
        }
    }

    [Fact]
    public async Task A_signature_by_another_key_for_another_image_or_another_name_is_refused()
    {
        var image = TestImage.OfNoise(1, 10);
        using var registry = Serve(image);
        var name = ImageName.Parse($"docker://{registry.Host}/some/image:1");
        Decide(Signed);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await SignAsync(registry, image.Manifest.Digest, $"{registry.Host}/some/image", other);
        await RefusedAsync(name, "is not by a key that the policy names");
        await SignAsync(registry, image.Config.Digest, $"{registry.Host}/some/image", key, image.Manifest.Digest);
        await RefusedAsync(name, "is for another image");
        await SignAsync(registry, image.Manifest.Digest, $"{registry.Host}/other/image", key);
        await RefusedAsync(name, "is for the name");
    }
}
