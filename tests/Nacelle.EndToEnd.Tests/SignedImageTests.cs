namespace Nacelle.EndToEnd.Tests;

/// <summary>Images of a registry that podman and skopeo sign; their signatures lie on a web server with a certificate of an own authority.</summary>
public sealed class SignedImageTests : IDisposable
{
    readonly Machine machine = new();
    readonly Registry registry;
    readonly GnupgHome gnupg;
    readonly Peers peers;
    readonly TlsServer lookaside;

    public SignedImageTests()
    {
        registry = new Registry(machine);
        gnupg = new GnupgHome();
        peers = new Peers(machine) { Gnupg = gnupg.Path, Authority = $"{machine.Path}/server/ca.pem" };
        Machine.Script(machine.Path, "mkdir -p lookaside server home/.config/containers/registries.d");
        lookaside = new TlsServer($"{machine.Path}/server", Machine.FreePort(), $"{machine.Path}/lookaside");
        File.WriteAllText($"{peers.Home}/.config/containers/registries.d/registry.yaml", $"""
            docker:
              {registry.Host}:
                lookaside: {lookaside.Address}
                lookaside-staging: file://{machine.Path}/lookaside
                sigstore: {lookaside.Address}
                sigstore-staging: file://{machine.Path}/lookaside
            """);
        Signer = gnupg.MakeKey("Signer <signer@example.com>");
        peers.BuildByBuildah("localhost/peer", "");
    }

    string Signer { get; }

    string Image => $"{registry.Host}/some/peer:1";

    public void Dispose()
    {
        lookaside.Dispose();
        gnupg.Dispose();
        registry.Dispose();
        machine.Dispose();
    }

    /// <summary>The policy file, as podman and skopeo have it: images of this registry only if a key has signed them.</summary>
    void Trust(string key)
    {
        var path = gnupg.Export(key, $"{machine.Path}/{key}.asc");
        File.WriteAllText($"{peers.Home}/.config/containers/policy.json", """
            {"default":[{"type":"reject"}],"transports":{"docker":{"REGISTRY":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"KEY"}]},
            "containers-storage":{"":[{"type":"insecureAcceptAnything"}]}}}
            """.Replace("REGISTRY", registry.Host, StringComparison.Ordinal).Replace("KEY", path, StringComparison.Ordinal));
    }

    /// <summary>The policy is that of the home directory, for there is none of this project's.</summary>
    string[] Flags => [$"--dir={machine.Data}", $"--local-config={machine.Path}/none", "--insecure-options=http"];

    Result Nacelle(params string[] arguments) => Machine.Run(
        "/usr/bin/env", [$"HOME={peers.Home}", $"GNUPGHOME={gnupg.Path}", $"SSL_CERT_FILE={machine.Path}/server/ca.pem", Machine.Program, .. Flags, .. arguments]);

    void Refused(string reason)
    {
        var run = Nacelle("run", $"docker://{Image}");
        Assert.True(run is { ExitCode: 254, Output: "" }, run.ToString());
        Assert.Contains(reason, Assert.Single(run.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Empty(Nacelle("image", "list", "--no-legend").Output);
    }

    void Runs()
    {
        var run = Nacelle("run", $"docker://{Image}");
        Assert.True(run is { ExitCode: 0, Output: "set\nbuilt\n" }, run.ToString());
    }

    [Theory]
    [InlineData("podman")]
    [InlineData("skopeo")]
    [InlineData("buildah")]
    public void What_a_peer_pushes_signed_runs_where_its_key_is_trusted(string peer)
    {
        Trust(Signer);
        peers.Podman($"push -q --tls-verify=false localhost/peer {Image}");
        Refused("asks for a signature, and there is none");
        switch (peer)
        {
            case "podman":
                peers.Podman($"push -q --tls-verify=false --sign-by={Signer} localhost/peer {Image}");
                break;
            case "buildah":
                peers.Buildah($"push -q --tls-verify=false --sign-by={Signer} localhost/peer {Image}");
                break;
            default:
                peers.Skopeo($"--insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false --sign-by={Signer} docker://{Image} docker://{Image}");
                break;
        }

        Assert.NotEmpty(Directory.GetFiles($"{machine.Path}/lookaside", "signature-1", SearchOption.AllDirectories));
        Trust(gnupg.MakeKey("Other <other@example.com>"));
        Refused("which is not trusted");
        Trust(Signer);
        Runs();
    }

    [Fact]
    public void What_we_sign_podman_pulls()
    {
        Trust(Signer);
        peers.Buildah($"push -q localhost/peer oci:{machine.Path}/layout:t");
        var copy = Nacelle("image", "copy", "--insecure-options=http,image", $"oci:{machine.Path}/layout:t", $"docker://{Image}");
        Assert.True(copy.ExitCode == 0, copy.ToString());
        Refused("there is none");
        var sign = Nacelle("image", "sign", $"--local-user={Signer}", $"docker://{Image}");
        Assert.True(sign.ExitCode == 0, sign.ToString());
        Runs();

        peers.Podman($"pull -q --tls-verify=false {Image}");
    }

    [Fact]
    public void A_place_of_signatures_whose_authority_nobody_knows_is_told_in_one_line()
    {
        Trust(Signer);
        peers.Podman($"push -q --tls-verify=false --sign-by={Signer} localhost/peer {Image}");
        var run = Machine.Run("/usr/bin/env", [$"HOME={peers.Home}", Machine.Program, .. Flags, "run", $"docker://{Image}"]);
        Assert.Equal(254, run.ExitCode);
        Assert.Contains("its certificate is not trusted", Assert.Single(run.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Equal(0, Nacelle("fetch", "--insecure-options=http,image", $"docker://{Image}").ExitCode);
    }
}
