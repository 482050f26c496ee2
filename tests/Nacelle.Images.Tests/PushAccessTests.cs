using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Pushing to Debian's docker-registry behind a token service, and behind TLS with an own authority.</summary>
public sealed class PushAccessTests : IDisposable
{
    const string Http = "--insecure-options=http,image";

    static readonly TestImage Image = TestImage.OfNoise(51, 200_000, 20_000);

    readonly LayerScratch scratch = new();

    public PushAccessTests() => Image.WriteLayout(scratch.Path + "/layout", "t");

    public void Dispose() => scratch.Dispose();

    ProgramResult Run(params string[] arguments) =>
        FetchProgram.Wait(FetchProgram.StartCommand(scratch.Path + "/data", arguments, ("DOCKER_CONFIG", scratch.Path + "/docker"), ("REGISTRY_AUTH_FILE", scratch.Path + "/docker/config.json")));

    ProgramResult Copy(string destination, params string[] flags) => Run(["image", "copy", .. flags, $"oci:{scratch.Path}/layout:t", destination]);

    void LogIn(DockerRegistry registry, string user)
    {
        Directory.CreateDirectory(scratch.Path + "/docker");
        string auth = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{user}:secret"));
        File.WriteAllText(scratch.Path + "/docker/config.json", $$$"""{"auths":{"{{{registry.Host}}}":{"auth":"{{{auth}}}"} } }""");
    }

    static void Pushed(ProgramResult result) => Assert.Equal((0, $"{Image.Manifest.Digest}\n", ""), (result.ExitCode, result.Output, result.Errors));

    [Fact]
    public void A_token_for_pulling_and_pushing_is_bought_with_the_password_and_the_password_goes_nowhere_else()
    {
        using var tokens = new TokenService(scratch);
        using var registry = new DockerRegistry(scratch, more: tokens.Configuration);
        tokens.Rights["user"] = ["repository:some/image:pull,push"];
        LogIn(registry, "user");
        Pushed(Copy($"docker://{registry.Host}/some/image:1", Http));
        var purchase = Assert.Single(tokens.Purchases.Distinct());
        Assert.Equal("user", purchase.User);
        Assert.Equal(["repository:some/image:pull,push"], purchase.Scopes);
        Assert.Equal($"{Image.Manifest.Digest}\n", scratch.Shell($"skopeo inspect --creds=user:secret --tls-verify=false --format='{{{{.Digest}}}}' docker://{registry.Host}/some/image:1"));
    }

    [Theory]
    [InlineData("reader", "registry HOST denies access to some/image: what is asked for is not allowed (401)")]
    [InlineData("nobody", "the token service SERVICE of registry HOST refuses user 'nobody' (401)")]
    public void Who_may_not_push_is_told_in_one_line(string user, string line)
    {
        using var tokens = new TokenService(scratch);
        using var registry = new DockerRegistry(scratch, more: tokens.Configuration);
        tokens.Rights["reader"] = ["repository:some/image:pull"];
        LogIn(registry, user);
        var refused = Copy($"docker://{registry.Host}/some/image:1", Http);
        Assert.Equal($"nacelle: {line.Replace("HOST", registry.Host, StringComparison.Ordinal).Replace("SERVICE", tokens.Host, StringComparison.Ordinal)}\n", refused.Errors);
        Assert.Equal((254, ""), (refused.ExitCode, refused.Output));
    }

    [Fact]
    public void A_token_that_runs_out_during_a_push_is_bought_anew()
    {
        using var tokens = new TokenService(scratch) { Lifetime = TimeSpan.FromSeconds(1) };
        using var registry = new DockerRegistry(scratch, more: tokens.Configuration);
        tokens.Rights["user"] = ["repository:some/image:pull,push"];
        LogIn(registry, "user");

        // In so many requests that they take longer than a token lasts.
        Pushed(Copy($"docker://{registry.Host}/some/image:1", Http, "--chunk-size=100", "--parallel=1"));
        Assert.InRange(tokens.Purchases.Count, 2, 200);
        Assert.All(tokens.Purchases, purchase => Assert.Equal(["repository:some/image:pull,push"], purchase.Scopes));
        scratch.Shell($"skopeo copy -q --src-creds=user:secret --src-tls-verify=false docker://{registry.Host}/some/image:1 dir:copy");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_blob_is_mounted_with_a_token_for_both_repositories_or_sent_where_the_other_may_not_be_read(bool both)
    {
        using var tokens = new TokenService(scratch);
        using var registry = new DockerRegistry(scratch, more: tokens.Configuration);
        string from = $"{registry.Host}/some/image:1", to = $"{registry.Host}/another/one:2";
        tokens.Rights["first"] = ["repository:some/image:pull,push"];
        tokens.Rights["second"] = ["repository:another/one:pull,push", .. both ? (string[])["repository:some/image:pull"] : []];
        LogIn(registry, "first");
        Pushed(Copy($"docker://{from}", Http));
        Assert.Equal(0, Run("fetch", Http, $"docker://{from}").ExitCode);
        LogIn(registry, "second");
        tokens.Purchases.Clear();
        var push = Run("image", "push", Http, "--debug", from, to);
        Assert.True(push.ExitCode == 0, push.Errors);
        Assert.Contains(tokens.Purchases, purchase => purchase.Scopes.Order(StringComparer.Ordinal).SequenceEqual(["repository:another/one:pull,push", "repository:some/image:pull"]));
        Assert.All(Image.Layers, layer => Assert.Contains($"{layer.Digest}: {(both ? "" : "not ")}mounted from some/image", push.Errors, StringComparison.Ordinal));
        scratch.Shell($"skopeo copy -q --src-creds=second:secret --src-tls-verify=false docker://{to} dir:copy");
    }

    [Fact]
    public void A_registry_of_an_own_authority_is_pushed_to_when_its_certificate_lies_where_such_do()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "writing below /etc takes root");
        MakeAuthority("ca");
        MakeAuthority("wrong");
        MakeCertificate("server", "ca", "IP:127.0.0.1");
        using var registry = new DockerRegistry(scratch, http: $"tls: {{certificate: {scratch.Path}/server.pem, key: {scratch.Path}/server.key}}");
        string name = $"docker://{registry.Host}/some/image:1";
        string refusal = $"nacelle: cannot reach registry {registry.Host}: its certificate is not trusted; put its authority into /etc/containers/certs.d/{registry.Host}/ca.crt, or use --insecure-options=tls\n";
        Assert.Equal(new ProgramResult(254, "", refusal), Copy(name));
        foreach (string place in new[] { "/etc/containers/certs.d", "/etc/docker/certs.d" })
        {
            using var directory = new CertificateDirectory($"{place}/{registry.Host}");
            directory.Put(scratch.Path + "/wrong.pem", "ca.crt");
            Assert.Equal(new ProgramResult(254, "", refusal), Copy(name));
            File.WriteAllText($"{directory.Path}/ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
            var damaged = Copy(name);
            Assert.Equal((254, $"nacelle: {directory.Path}/ca.crt is not a certificate in PEM\n"), (damaged.ExitCode, damaged.Errors));
            directory.Put(scratch.Path + "/ca.pem", "ca.crt");
            directory.Put(scratch.Path + "/wrong.pem", "another.crt"); // each of them counts
            Pushed(Copy(name));
        }

        Assert.Equal(new ProgramResult(254, "", refusal), Copy(name));
        Pushed(Copy(name, "--insecure-options=tls"));
    }

    [Fact]
    public void A_registry_that_wants_to_see_a_certificate_is_shown_ours()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "writing below /etc takes root");
        MakeAuthority("ca");
        MakeCertificate("server", "ca", "IP:127.0.0.1");
        MakeCertificate("client", "ca", "DNS:client");
        using var registry = new DockerRegistry(scratch, http: $"tls: {{certificate: {scratch.Path}/server.pem, key: {scratch.Path}/server.key, clientcas: [{scratch.Path}/ca.pem]}}");
        string name = $"docker://{registry.Host}/some/image:1";
        using var directory = new CertificateDirectory($"/etc/containers/certs.d/{registry.Host}");
        directory.Put(scratch.Path + "/ca.pem", "ca.crt");
        var refused = Copy(name);
        Assert.True(refused is { ExitCode: 254, Output: "" }, refused.ToString());
        Assert.StartsWith($"nacelle: cannot reach registry {registry.Host}: ", Assert.Single(refused.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        directory.Put(scratch.Path + "/client.pem", "client.cert");
        var half = Copy(name);
        Assert.Equal((254, $"nacelle: {directory.Path}/client.cert and its .key are not a certificate and key in PEM\n"), (half.ExitCode, half.Errors));
        directory.Put(scratch.Path + "/client.key", "client.key");
        Pushed(Copy(name));
    }

    [Fact]
    public void A_certificate_for_another_name_is_refused_whoever_vouches_for_it()
    {
        MakeAuthority("ca");
        MakeCertificate("server", "ca", "DNS:other.example");
        using var registry = new DockerRegistry(scratch, http: $"tls: {{certificate: {scratch.Path}/server.pem, key: {scratch.Path}/server.key}}");
        var refused = FetchProgram.Wait(FetchProgram.StartCommand(
            scratch.Path + "/data", ["image", "copy", $"oci:{scratch.Path}/layout:t", $"docker://{registry.Host}/some/image:1"], ("SSL_CERT_FILE", scratch.Path + "/ca.pem")));
        Assert.Equal(254, refused.ExitCode);
        Assert.Contains("its certificate is for another name", Assert.Single(refused.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    void MakeAuthority(string name) =>
        scratch.Shell($"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.pem -subj '/CN={name}' -days 2 2>/dev/null");

    void MakeCertificate(string name, string authority, string subject) => scratch.Shell($"""
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name} 2>/dev/null
        printf 'subjectAltName={subject}' >names
        openssl x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial -out {name}.pem -days 2 -extfile names 2>/dev/null
        """);

    /// <summary>A directory of certificates that is gone after the test.</summary>
    sealed class CertificateDirectory : IDisposable
    {
        readonly string made;

        public CertificateDirectory(string path)
        {
            Path = made = path;
            for (string? above = path; above is not null && !Directory.Exists(above); above = System.IO.Path.GetDirectoryName(above))
            {
                made = above;
            }

            Directory.CreateDirectory(path);
        }

        public string Path { get; }

        public void Put(string file, string name) => File.Copy(file, $"{Path}/{name}", overwrite: true);

        public void Dispose() => Directory.Delete(made, recursive: true);
    }
}
