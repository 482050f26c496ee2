using System.Text;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images.Tests;

/// <summary>Simple signing, both ways: what skopeo signs we accept, and what we sign skopeo accepts.</summary>
public sealed class SimpleSigningTests : IDisposable
{
    readonly StoreScratch store = new();
    readonly TestImage image = TestImage.OfNoise(1, 10, 20);
    readonly DockerRegistry registry;
    readonly string home = $"/tmp/ns{Guid.NewGuid().ToString("n")[..12]}"; // short: a socket's path holds 107 bytes

    public SimpleSigningTests()
    {
        registry = new DockerRegistry(store.Scratch);
        image.WriteLayout(store.Scratch.Path + "/layout", "t");
        Directory.CreateDirectory(home, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory($"{home}/.config/containers/registries.d");
        File.WriteAllText($"{home}/.config/containers/registries.d/test.yaml", $"""
            # of the test
            docker:
              {registry.Host}/some:
                lookaside: "file://{store.Scratch.Path}/lookaside"
            """);
        File.WriteAllText($"{home}/.config/containers/policy.json", Policy);
        store.Options = store.Options with { Lookaside = LookasideConfiguration.Load($"{home}/.config/containers/registries.d") };
        foreach (string user in new[] { "A@example.com", "B@example.com" })
        {
            Shell($"gpg --batch --quiet --passphrase '' --quick-gen-key {user} ed25519 sign never && gpg --batch --export {user} >{user}.gpg");
        }

        Decide("A@example.com");
    }

    public void Dispose()
    {
        Shell("gpgconf --kill all");
        registry.Dispose();
        Directory.Delete(home, recursive: true);
        store.Dispose();
    }

    string Policy => """{"default":[{"type":"reject"}],"transports":{"docker":{"":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"SCRATCH/A@example.com.gpg"}]}}}""".Replace("SCRATCH", store.Scratch.Path, StringComparison.Ordinal);

    void Decide(string signer) => store.Options = store.Options with
    {
        Policy = TrustPolicy.Parse(Encoding.UTF8.GetBytes(Policy.Replace("A@example.com", signer, StringComparison.Ordinal)), "policy.json"),
    };

    string Shell(string command) => store.Scratch.Shell($"export HOME={home} GNUPGHOME={home}; {command}");

    ImageName Name(string tag) => ImageName.Parse($"docker://{registry.Host}/some/image:{tag}");

    void CopyBySkopeo(string tag, string options = "") =>
        Shell($"skopeo --insecure-policy --registries.d {home}/.config/containers/registries.d copy -q {options} --dest-tls-verify=false oci:layout:t docker://{registry.Host}/some/image:{tag}");

    async Task RefusedAsync(ImageName name, string reason)
    {
        var refused = await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(name));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Empty(store.Store.List());
    }

    [Fact]
    public async Task What_skopeo_signs_is_accepted_by_its_key_and_name()
    {
        CopyBySkopeo("1");
        await RefusedAsync(Name("1"), "asks for a signature, and there is none");
        CopyBySkopeo("1", "--sign-by B@example.com");
        await RefusedAsync(Name("1"), "which is not trusted");
        CopyBySkopeo("2", "--sign-by A@example.com");
        await RefusedAsync(Name("1"), $"is for the name '{registry.Host}/some/image:2'");
        store.RequireWhole(await store.FetchAsync(Name("2")), image);
        await store.FetchAsync(ImageName.Parse($"docker://{registry.Host}/some/image@{image.Manifest.Digest}"));

        // The store has it, but what the policy wants now nobody has signed for it.
        Decide("A@example.com");
        store.Options = store.Options with { PullPolicy = PullPolicy.Update, Lookaside = LookasideConfiguration.Load("/nowhere") };
        var refused = await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(Name("2")));
        Assert.Contains("there is none", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_that_was_changed_or_moved_to_another_image_is_refused()
    {
        CopyBySkopeo("1", "--sign-by A@example.com");
        string signature = Directory.GetFiles(store.Scratch.Path + "/lookaside", "signature-1", SearchOption.AllDirectories).Single();
        var message = File.ReadAllBytes(signature);
        File.WriteAllBytes(signature, message[..^20]);
        await RefusedAsync(Name("1"), "signature 1");
        var other = TestImage.OfNoise(2, 30);
        Directory.Delete(store.Scratch.Path + "/layout", recursive: true);
        other.WriteLayout(store.Scratch.Path + "/layout", "t");
        CopyBySkopeo("1");
        string moved = signature.Replace(image.Manifest.Digest.Hex, other.Manifest.Digest.Hex, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.GetDirectoryName(moved)!);
        File.WriteAllBytes(moved, message);
        await RefusedAsync(Name("1"), "is for another image");
    }

    [Fact]
    public async Task What_we_sign_skopeo_and_we_accept()
    {
        CopyBySkopeo("1");
        string check = $"skopeo --registries.d {home}/.config/containers/registries.d copy -q --src-tls-verify=false docker://{registry.Host}/some/image:1 dir:checked-$$";
        Assert.Contains("signature", Shell($"{check} 2>&1 || true"), StringComparison.Ordinal);
        var sign = FetchProgram.Wait(FetchProgram.StartCommand(
            store.Scratch.Path + "/other", ["image", "sign", "--insecure-options=http", "--local-user=A@example.com", Name("1").ToString()], ("HOME", home), ("GNUPGHOME", home)));
        Assert.True(sign.ExitCode == 0, sign.Errors);
        Assert.EndsWith("/signature-1\n", sign.Output, StringComparison.Ordinal);
        Shell(check);
        store.RequireWhole(await store.FetchAsync(Name("1")), image);
    }
}
