using System.Net;
using System.Text;
using System.Text.Json;

namespace Nacelle.EndToEnd.Tests;

/// <summary>appc 0.8.11, spec/ace.md, "App Container Metadata Service": one test for each of its rules, and for what we promise beyond them.</summary>
public sealed class MetadataServiceTests : IDisposable
{
    const string Start = "metadata-service --listen-port=PORT";

    readonly Machine machine = new();
    readonly HttpClient http = new();
    Service service;

    public MetadataServiceTests()
    {
        service = Service.Start(machine, Start);
        Machine.Eventually(() => File.Exists(machine.Data + "/metadata-service"), "the service says where it listens");
    }

    public void Dispose()
    {
        service.Dispose();
        http.Dispose();
        machine.Dispose();
    }

    /// <summary>Runs a pod that waits.</summary>
    (string Uuid, string Url) Run(params string[] flags)
    {
        var (_, uuid) = machine.StartShell("echo \"$AC_METADATA_URL\"; sleep 600", ["--mds-register", "--net=host", .. flags]);
        string url = "";
        Machine.Eventually(() => (url = machine.Nacelle("logs", uuid).Output.Trim()).Length > 0, "the app has said its URL");
        return (uuid, url + "/acMetadata/v1");
    }

    (HttpStatusCode Status, string? Type, string Body) Get(string url)
    {
        using var answer = http.GetAsync(url).Result;
        return (answer.StatusCode, answer.Content.Headers.ContentType?.ToString(), answer.Content.ReadAsStringAsync().Result);
    }

    (HttpStatusCode Status, string? Type, string Body) Post(string url, params (string Name, string Value)[] form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new FormUrlEncodedContent(form.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))) };
        request.Headers.ExpectContinue = true; // who is refused before he sends all sees the answer, and not a broken pipe
        using var answer = http.SendAsync(request).Result;
        return (answer.StatusCode, answer.Content.Headers.ContentType?.ToString(), answer.Content.ReadAsStringAsync().Result);
    }

    [Fact]
    public void An_app_reaches_the_service_at_AC_METADATA_URL()
    {
        var run = machine.Shell("/bin/busybox wget -q -O - $AC_METADATA_URL/acMetadata/v1/pod/uuid", "--mds-register", "--net=host");
        Assert.Equal(Path.GetFileName(machine.Pods()[0]), run.Output);
    }

    [Theory]
    [InlineData("fly")]
    [InlineData("oci")]
    public void So_does_an_app_in_another_flavor(string flavor)
    {
        var run = Machine.Run(
            "/usr/bin/env",
            [
                $"NACELLE_OCI_RUNTIME={Path.GetDirectoryName(Machine.Program)}/nacelle-oci", Machine.Program, .. machine.Flags, "run", $"--stage1-name=nacelle/stage1-{flavor}", "--mds-register", "--net=host",
                TestImages.Busybox, "--exec=/bin/sh", "--", "-c", "/bin/busybox wget -q -O - $AC_METADATA_URL/acMetadata/v1/pod/uuid",
            ]);
        Assert.True(run.Output == Path.GetFileName(machine.Pods()[0]), $"{run}");
    }

    [Fact]
    public void A_stage1_of_others_is_told_the_token()
    {
        Machine.Require("/usr/bin/jq", "/usr/bin/nsenter", "/usr/bin/unshare");
        var told = machine.Path + "/told";
        var shell = new ShellStage1(machine);
        var script = File.ReadAllText($"{Machine.Sources}/tests/Nacelle.EndToEnd.Tests/stage1-shell/run");
        machine.Shell("true", [.. shell.WithScript("run", $"echo \"$@\" >{told}\n{script}").Flags, "--mds-register", "--net=host"]);
        var url = File.ReadLines(machine.Pods()[0] + "/metadata").First();
        Assert.Contains($"--mds-token={url[(url.LastIndexOf('/') + 1)..]}", File.ReadAllText(told).Split(' '));
    }

    [Fact]
    public void A_pod_that_is_not_registered_has_no_AC_METADATA_URL() =>
        Assert.Equal("none", machine.Shell("echo -n ${AC_METADATA_URL-none}", "--net=host").Output);

    [Fact]
    public void The_token_is_no_shorter_than_128_bits_and_differs_from_pod_to_pod()
    {
        var tokens = Enumerable.Range(0, 2).Select(_ => machine.Shell("echo -n ${AC_METADATA_URL##*.}", "--mds-register", "--net=host").Output).ToArray();
        Assert.All(tokens, token => Assert.True(Convert.FromHexString(token).Length >= 128 / 8, token));
        Assert.NotEqual(tokens[0], tokens[1]);
    }

    [Fact]
    public void A_pods_identity_is_readable_by_root_only()
    {
        var (uuid, _) = Run();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(machine.Pod(uuid) + "/metadata"));
    }

    [Fact]
    public void The_pods_entries_have_the_specifications_content_types()
    {
        var (uuid, url) = Run();
        Assert.Equal((HttpStatusCode.OK, "text/plain; charset=us-ascii", uuid), Get(url + "/pod/uuid"));
        Assert.Equal((HttpStatusCode.OK, "application/json", "[]"), Get(url + "/pod/annotations"));
        var manifest = Get(url + "/pod/manifest");
        Assert.Equal((HttpStatusCode.OK, "application/json"), (manifest.Status, manifest.Type));
        Assert.Equal(File.ReadAllText(machine.Pod(uuid) + "/pod"), manifest.Body);
    }

    [Fact]
    public void Annotations_of_the_pod_are_told()
    {
        var id = machine.Nacelle("fetch", "--full", TestImages.Busybox).Output.Trim();
        File.WriteAllText(machine.Path + "/pod.json", $$"""
            {"acVersion":"0.8.11","acKind":"PodManifest","annotations":[{"name":"ip-address","value":"10.1.2.3"}],
             "apps":[{"name":"one","image":{"id":"{{id}}"},"app":{"exec":["/bin/sh","-c","/bin/busybox wget -q -O - $AC_METADATA_URL/acMetadata/v1/pod/annotations"],"user":"0","group":"0"} }]}
            """);
        var run = machine.Nacelle("run", "--mds-register", "--net=host", $"--pod-manifest={machine.Path}/pod.json");
        Assert.True(run.Output == """[{"name":"ip-address","value":"10.1.2.3"}]""", $"{run}");
    }

    [Fact]
    public void Annotations_of_an_app_are_the_images_and_the_apps_own_which_are_stronger()
    {
        var (_, uuid) = machine.StartShell("sleep 600", ["--mds-register", "--net=host"]);
        var url = Url(uuid);
        var image = Annotations(url);
        Assert.NotEmpty(image["appc.io/docker/originalname"]);
        machine.Nacelle("stop", "--force", uuid);

        var file = machine.Path + "/uuid";
        machine.Start(
            "run", "--mds-register", "--net=host", $"--uuid-file-save={file}", TestImages.Busybox, "--name=busybox", "--annotation=appc.io/docker/originalname=other", "--annotation=own=1", "--exec=/bin/sleep", "--", "600");
        Machine.Eventually(() => File.Exists(file) && File.Exists($"{machine.Pod(File.ReadAllText(file).Trim())}/metadata"), "the pod is registered");
        var merged = Annotations(Url(File.ReadAllText(file).Trim()));
        Assert.Equal("other", merged["appc.io/docker/originalname"]);
        Assert.Equal("1", merged["own"]);
        Assert.Equal(image["appc.io/docker/manifesthash"], merged["appc.io/docker/manifesthash"]);

        string Url(string pod) => File.ReadLines(machine.Pod(pod) + "/metadata").First() + "/acMetadata/v1/apps/busybox/annotations";
        Dictionary<string, string> Annotations(string url) => JsonDocument.Parse(Get(url).Body).RootElement.EnumerateArray()
            .ToDictionary(one => one.GetProperty("name").GetString()!, one => one.GetProperty("value").GetString()!);
    }

    [Fact]
    public void An_apps_image_is_told_by_manifest_and_id()
    {
        var (uuid, url) = Run();
        var app = JsonDocument.Parse(File.ReadAllText(machine.Pod(uuid) + "/pod")).RootElement.GetProperty("apps")[0];
        Assert.Equal((HttpStatusCode.OK, "text/plain; charset=us-ascii", app.GetProperty("image").GetProperty("id").GetString()), Get(url + "/apps/busybox/image/id"));
        var manifest = Get(url + "/apps/busybox/image/manifest");
        Assert.Equal((HttpStatusCode.OK, "application/json"), (manifest.Status, manifest.Type));
        Assert.Equal("ImageManifest", JsonDocument.Parse(manifest.Body).RootElement.GetProperty("acKind").GetString());
        Assert.Equal(HttpStatusCode.NotFound, Get(url + "/apps/other/image/id").Status);
    }

    [Fact]
    public void What_one_pod_signs_another_verifies()
    {
        var (signer, url) = Run();
        var (verifier, other) = Run();
        const string Content = "pay 1 + 1 % & = é";
        var (status, type, signature) = Post(url + "/pod/hmac/sign", ("content", Content));
        Assert.Equal((HttpStatusCode.OK, "text/plain; charset=us-ascii"), (status, type));
        Assert.Equal(64, Convert.FromBase64String(signature).Length);
        Assert.Equal(HttpStatusCode.OK, Verify(Content, signer, signature));
        Assert.Equal(HttpStatusCode.Forbidden, Verify(Content + "0", signer, signature));
        Assert.Equal(HttpStatusCode.Forbidden, Verify(Content, verifier, signature));
        Assert.Equal(HttpStatusCode.Forbidden, Verify(Content, signer, Convert.ToBase64String(new byte[64])));
        Assert.Equal(HttpStatusCode.Forbidden, Verify(Content, signer, "no base64"));
        Assert.Equal(HttpStatusCode.Forbidden, Verify(Content, Guid.NewGuid().ToString(), signature));
        Assert.Equal(HttpStatusCode.Forbidden, Verify(Content, "../../..", signature));
        Assert.NotEqual(signature, Post(other + "/pod/hmac/sign", ("content", Content)).Body);

        HttpStatusCode Verify(string content, string uuid, string signature) =>
            Post(other + "/pod/hmac/verify", ("content", content), ("uuid", uuid), ("signature", signature)).Status;
    }

    [Fact]
    public void What_is_signed_may_be_any_bytes()
    {
        var (_, url) = Run();
        var signatures = new[] { "%ff", "%fe" }.Select(content =>
        {
            using var answer = http.PostAsync(url + "/pod/hmac/sign", new StringContent("content=" + content, Encoding.ASCII, "application/x-www-form-urlencoded")).Result;
            return answer.Content.ReadAsStringAsync().Result;
        }).ToArray();
        Assert.NotEqual(signatures[0], signatures[1]);
    }

    [Fact]
    public void A_wrong_question_gets_an_error()
    {
        var (_, url) = Run();
        Assert.Equal(HttpStatusCode.BadRequest, Get(url + "/pod/hmac/sign").Status);
        Assert.Equal(HttpStatusCode.BadRequest, Post(url + "/pod/hmac/sign", ("other", "1")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, Post(url + "/pod/hmac/verify", ("content", "1")).Status);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, Post(url + "/pod/uuid").Status);
        Assert.Equal(HttpStatusCode.NotFound, Get(url + "/pod/other").Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, Post(url + "/pod/hmac/sign", ("content", new string('a', 2 << 20))).Status);
    }

    [Fact]
    public void A_token_that_is_not_the_pods_tells_nothing()
    {
        var (one, url) = Run();
        var (other, _) = Run();
        var address = $"http://127.0.0.1:{service.Port}";
        var secret = url[(url.IndexOf('.', url.IndexOf(one, StringComparison.Ordinal)) + 1)..url.IndexOf("/acMetadata", StringComparison.Ordinal)];
        Assert.Equal(HttpStatusCode.OK, Get($"{address}/{one}.{secret}/acMetadata/v1/pod/uuid").Status);
        foreach (var token in (string[])["", "x", one, $"{one}.", $"{one}.{secret[1..]}", $"{other}.{secret}", $"{Guid.NewGuid()}.{secret}", $"..%2f..%2f.{secret}"])
        {
            Assert.Equal(HttpStatusCode.NotFound, Get($"{address}/{token}/acMetadata/v1/pod/uuid").Status);
        }
    }

    [Fact]
    public void Pods_and_their_keys_outlive_the_service()
    {
        var (uuid, url) = Run();
        var signature = Post(url + "/pod/hmac/sign", ("content", "one")).Body;
        Assert.Equal(0, service.Stop());
        service.Dispose();
        service = Service.Start(machine, Start, service.Port);
        Assert.Equal(uuid, Get(url + "/pod/uuid").Body);
        Assert.Equal(HttpStatusCode.OK, Post(url + "/pod/hmac/verify", ("content", "one"), ("uuid", uuid), ("signature", signature)).Status);
    }

    [Fact]
    public void A_pod_that_has_ended_asks_nothing_more_but_what_it_signed_stays_true_until_it_is_removed()
    {
        var (uuid, url) = Run();
        var (_, other) = Run();
        var signature = Post(url + "/pod/hmac/sign", ("content", "one")).Body;
        machine.Nacelle("stop", "--force", uuid);
        Machine.Eventually(() => machine.Nacelle("status", uuid).Output.Contains("state=exited", StringComparison.Ordinal), "the pod ends");
        Assert.Equal(HttpStatusCode.NotFound, Get(url + "/pod/uuid").Status);
        Assert.Equal(HttpStatusCode.OK, Verify());
        machine.Nacelle("rm", uuid);
        Assert.Equal(HttpStatusCode.Forbidden, Verify());

        HttpStatusCode Verify() => Post(other + "/pod/hmac/verify", ("content", "one"), ("uuid", uuid), ("signature", signature)).Status;
    }

    [Fact]
    public void A_pod_that_cannot_reach_the_service_is_refused()
    {
        var run = machine.Shell("true", "--mds-register");
        Assert.Equal((254, "nacelle: --mds-register needs --net=host: in a network of its own the pod does not reach the metadata service\n"), (run.ExitCode, run.Errors));
        File.Delete(machine.Data + "/metadata-service");
        run = machine.Shell("true", "--mds-register", "--net=host");
        Assert.Equal((254, $"nacelle: the metadata service has never run on {machine.Data}: start it with nacelle metadata-service\n"), (run.ExitCode, run.Errors));
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void A_service_manager_may_open_the_socket()
    {
        using var activated = Service.StartBySocket(machine, "metadata-service");
        Machine.Eventually(() => File.ReadAllText(machine.Data + "/metadata-service") == $"http://127.0.0.1:{activated.Port}\n", "the service says where it listens");
        Assert.StartsWith($"http://127.0.0.1:{activated.Port}/", Run().Url);
    }

    [Fact]
    public void What_the_service_cannot_do_is_said_in_one_line()
    {
        foreach (var (flag, message) in new[]
            {
                ("--listen-port=0", "--listen-port=0: use a port from 1 to 65535"), ("--listen-address=here", "--listen-address=here: use an IP address"),
                ($"--listen-port={service.Port}", $"cannot listen on 127.0.0.1:{service.Port}: "),
            })
        {
            var run = machine.Nacelle("metadata-service", flag);
            Assert.Equal(254, run.ExitCode);
            Assert.StartsWith($"nacelle: {message}", run.Errors);
            Assert.Equal(1, run.Errors.Count(letter => letter == '\n'));
        }
    }
}
