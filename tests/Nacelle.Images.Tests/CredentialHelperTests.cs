using System.Text;
using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Programs that keep credentials, and the files that name them.</summary>
public sealed class CredentialHelperTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly LayerScratch scratch = new();

    public void Dispose() => scratch.Dispose();

    string Helper(string script)
    {
        string path = $"{scratch.Path}/docker-credential-test";
        File.WriteAllText(path, "#!/bin/sh\n" + script);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    RegistryCredential? Ask(string script, string server = "h.example") => CredentialHelper.Run(Helper(script), server, Patience, CancellationToken.None);

    string Refusal(string script) => Assert.Throws<ImageException>(() => Ask(script)).Message;

    [Fact]
    public void A_helper_reads_the_server_and_answers_with_user_and_secret()
    {
        var found = Ask("""[ "$*" = get ] && read server && echo "{\"ServerURL\":\"$server\",\"Username\":\"me at $server\",\"Secret\":\"s3cret\"}" """);
        Assert.Equal(new RegistryCredential("me at h.example", "s3cret", null), found);
    }

    [Fact]
    public void A_secret_without_a_user_is_an_identity_token() =>
        Assert.Equal(new RegistryCredential("", "", "t0ken"), Ask("""echo '{"Username":"<token>","Secret":"t0ken"}'"""));

    [Theory]
    [InlineData("echo credentials not found in native keychain; exit 1")]
    [InlineData("""echo '{"ServerURL":"h.example","Username":"","Secret":""}'""")]
    public void A_helper_may_have_nothing_for_a_server(string script) => Assert.Null(Ask(script));

    [Theory]
    [InlineData("echo the keychain is locked; echo really; exit 1", "fails: the keychain is locked really")]
    [InlineData("exit 3", "fails: exit code 3")]
    [InlineData("kill -9 $$", "fails: exit code 137")]
    [InlineData("echo hello", "is not JSON")]
    [InlineData("true", "is not JSON")]
    [InlineData("""echo '{"Username":1,"Secret":"s"}'""", "Username: 1 is not a string")]
    public void What_goes_wrong_is_said_in_one_line_without_the_secret(string script, string said)
    {
        var message = Refusal(script);
        Assert.StartsWith("no credential for h.example: ", message, StringComparison.Ordinal);
        Assert.Contains("docker-credential-test", message, StringComparison.Ordinal);
        Assert.Contains(said, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_helper_that_does_not_end_is_killed()
    {
        var helper = Helper("exec sleep 1000");
        var failure = Assert.Throws<ImageException>(() => CredentialHelper.Run(helper, "h", TimeSpan.FromMilliseconds(200), CancellationToken.None));
        Assert.Contains("took longer than 0 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_helper_that_talks_without_end_is_killed() => Assert.Contains("EFBIG", Refusal("exec yes"), StringComparison.Ordinal);

    [Fact]
    public void What_a_helper_leaves_behind_is_not_waited_for() =>
        Assert.Equal("u", Ask("""sleep 1000 & echo $! >"$0.pid"; echo '{"Username":"u","Secret":"s"}'""")?.User is { } user && Kill() ? user : null);

    bool Kill()
    {
        scratch.Shell("kill $(cat docker-credential-test.pid)");
        return true;
    }

    [Fact]
    public async Task Whoever_interrupts_does_not_wait_for_a_helper()
    {
        using var stop = new CancellationTokenSource();
        var helper = Helper("touch \"$0.started\"; exec sleep 1000");
        var asking = Task.Run(() => CredentialHelper.Run(helper, "h", Patience, stop.Token));
        while (!File.Exists(helper + ".started"))
        {
            await Task.Delay(10);
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public void A_helper_that_is_not_installed_is_named() => Assert.Equal(
        "the credential for h is kept by docker-credential-nowhere, which is not in $PATH",
        Assert.Throws<ImageException>(() => CredentialHelper.Ask("nowhere", "h", Patience, CancellationToken.None)).Message);

    [Theory]
    [InlineData("""{"credHelpers":{"h.example":"one"},"credsStore":"two","auths":{"h.example":{"auth":"eDp5"}}}""", "h.example", "one h.example")]
    [InlineData("""{"credHelpers":{"other.example":"one"},"credsStore":"two"}""", "h.example", "two h.example")]
    [InlineData("""{"credHelpers":{"other.example":"one"},"auths":{"h.example":{"auth":"eDp5"}}}""", "h.example", "x")]
    [InlineData("""{"credHelpers":{"h.example":""},"auths":{"h.example":{"auth":"eDp5"}}}""", "h.example", "x")]
    [InlineData("""{"credsStore":"two"}""", "docker.io", "two https://index.docker.io/v1/")]
    [InlineData("""{"credHelpers":{"https://index.docker.io/v1/":"one"}}""", "docker.io", "one https://index.docker.io/v1/")]
    public void The_host_decides_whom_to_ask(string json, string host, string user) => Assert.Equal(
        user,
        RegistryCredentials.FindIn(json, "config.json", host, "some/image", (helper, server) => new RegistryCredential($"{helper} {server}", "", null))?.User);

    [Fact]
    public void Where_the_helper_has_nothing_the_file_itself_counts()
    {
        var asked = new List<string>();
        var found = RegistryCredentials.FindIn("""{"credsStore":"s","auths":{"docker.io":{"auth":"eDp5"}}}""", "config.json", "docker.io", "library/redis", (_, server) =>
        {
            asked.Add(server);
            return null;
        });
        Assert.Equal("x", found?.User);
        Assert.Equal(["https://index.docker.io/v1/", "docker.io"], asked);
    }

    [Fact]
    public void A_helper_cannot_be_a_path() => Assert.Equal(
        "'/../../bin/sh' is not the end of a credential helper's name",
        Assert.Throws<ImageException>(() => CredentialHelper.Ask("/../../bin/sh", "h", Patience, CancellationToken.None)).Message);

    [Fact]
    public void The_configurations_own_credential_comes_before_files_and_helpers()
    {
        var options = new RegistryOptions { RegistryHosts = new Dictionary<string, HostCredential.Basic> { ["index.docker.io"] = new("u", "p") } };
        Assert.Equal(new RegistryCredential("u", "p", null), RegistryCredentials.Find("docker.io", "library/redis", options, CancellationToken.None));
    }

    [Fact]
    public void Any_answer_is_read_or_refused_in_one_line() =>
        Gen.Select(Gen.Int[0, 70], Gen.Byte, Gen.Bool).List[1, 4].Sample(
            changes =>
            {
                var bytes = """{"ServerURL":"https://h.example","Username":"user","Secret":"s3cret\n"}"""u8.ToArray().ToList();
                foreach (var (at, value, insert) in changes)
                {
                    bytes[at] = value;
                    if (insert)
                    {
                        bytes.Insert(at, value);
                    }
                }

                try
                {
                    CredentialHelper.Read([.. bytes]);
                    return true;
                }
                catch (SpecException refusal)
                {
                    return !refusal.Message.AsSpan().ContainsAny('\r', '\n');
                }
            },
            iter: 5000);

    [Fact]
    public void A_fetch_asks_the_helper_that_the_file_of_docker_names()
    {
        var image = TestImage.OfNoise(31, 5_000);
        string basic = "Basic " + Convert.ToBase64String("user:secret"u8);
        using var registry = new FaultyRegistry(image, (request, _, answer) =>
            request["Authorization"] == basic ? answer : ServerAnswer.Text(401, "", ("WWW-Authenticate", "Basic realm=\"x\"")));
        Helper("""read server; echo "$server" >>"$0.asked"; echo '{"Username":"user","Secret":"secret"}'""");
        File.WriteAllText($"{scratch.Path}/config.json", $$$"""{"credHelpers":{"{{{registry.Host}}}":"test"}}""");
        var fetch = FetchProgram.Wait(FetchProgram.Start(
            $"{scratch.Path}/data",
            ["--insecure-options=http,image", registry.Name.ToString()],
            ("PATH", $"relative:{scratch.Path}:{Environment.GetEnvironmentVariable("PATH")}"),
            ("DOCKER_CONFIG", scratch.Path)));
        Assert.True(fetch.ExitCode == 0, fetch.Errors);
        Assert.Equal(registry.Host, File.ReadAllText($"{scratch.Path}/docker-credential-test.asked").Trim());
    }

    [Fact]
    public void A_fetch_uses_the_credential_of_our_own_configuration()
    {
        var image = TestImage.OfNoise(32, 5_000);
        string basic = "Basic " + Convert.ToBase64String("user:secret"u8);
        using var registry = new FaultyRegistry(image, (request, _, answer) =>
            request["Authorization"] == basic ? answer : ServerAnswer.Text(401, "", ("WWW-Authenticate", "Basic realm=\"x\"")));
        scratch.Shell("mkdir -p etc/auth.d");
        File.WriteAllText($"{scratch.Path}/etc/auth.d/a.json", $$$"""{"rktKind":"dockerAuth","rktVersion":"v1","registries":["{{{registry.Host}}}"],"credentials":{"user":"user","password":"secret"}}""");
        string[] flags = [$"--local-config={scratch.Path}/etc", "--insecure-options=http,image", registry.Name.ToString()];
        var fetch = FetchProgram.Run($"{scratch.Path}/data", flags);
        Assert.True(fetch.ExitCode == 0, fetch.Errors);
        File.WriteAllText($"{scratch.Path}/etc/auth.d/b.json", Encoding.UTF8.GetString("{"u8));
        var refused = FetchProgram.Run($"{scratch.Path}/data", flags);
        Assert.Equal(254, refused.ExitCode);
        Assert.StartsWith($"nacelle: {scratch.Path}/etc/auth.d/b.json: is not JSON", refused.Errors, StringComparison.Ordinal);
    }
}
