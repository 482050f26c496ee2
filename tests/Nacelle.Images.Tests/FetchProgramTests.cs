using System.Diagnostics;
using System.Globalization;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>The program as a whole against Debian's docker-registry, skopeo and umoci.</summary>
public sealed class FetchProgramTests
{
    const string Http = "--insecure-options=http";

    static readonly TestImage Image = TestImage.OfNoise(31, 400_000, 3_000_000, 20_000);

    [Fact]
    public void The_id_is_printed_short_or_full()
    {
        using var scratch = new LayerScratch();
        using var registry = Serve(scratch, Image, "");
        string name = $"docker://{registry.Host}/some/image:1";
        string data = scratch.Path + "/data";
        Assert.Equal(new ProgramResult(0, $"sha256-{Image.Manifest.Digest.Hex[..32]}\n", ""), FetchProgram.Run(data, Http, name));
        Assert.Equal(new ProgramResult(0, $"sha256-{Image.Manifest.Digest.Hex}\n", ""), FetchProgram.Run(data, "--full", "--pull-policy=never", name));
        RequireReadable(scratch, $"{registry.Host}/some/image:1", umoci: true);
    }

    [Fact]
    public void An_image_in_Dockers_words_is_read_by_skopeo_and_umoci_too()
    {
        using var scratch = new LayerScratch();
        using var registry = Serve(scratch, Image, "-f v2s2");
        var result = FetchProgram.Run(scratch.Path + "/data", Http, $"docker://{registry.Host}/some/image:1");
        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.NotEqual($"sha256-{Image.Manifest.Digest.Hex[..32]}\n", result.Output);
        RequireReadable(scratch, $"{registry.Host}/some/image:1", umoci: true);
    }

    [Fact]
    public void Two_fetches_of_one_image_at_once_share_the_downloads()
    {
        using var scratch = new LayerScratch();
        using var registry = new FaultyRegistry(Image);
        var all = Enumerable.Range(0, 3).Select(_ => FetchProgram.Start(scratch.Path + "/data", [Http, registry.Name.ToString()])).Select(FetchProgram.Wait).ToList();
        Assert.All(all, result => Assert.Equal(new ProgramResult(0, $"sha256-{Image.Manifest.Digest.Hex[..32]}\n", ""), result));
        Assert.All(Image.Layers, layer => Assert.Single(registry.Requests, request => FaultyRegistry.IsBlob(request, layer)));
        RequireReadable(scratch, registry.Name.ToString()["docker://".Length..], umoci: true);
    }

    [Fact]
    public void Whenever_it_is_killed_the_next_fetch_makes_the_store_whole()
    {
        var random = new Random(7);
        using var scratch = new LayerScratch();
        using var registry = Serve(scratch, Image, "");
        string name = $"docker://{registry.Host}/some/image:1", data = scratch.Path + "/data";
        FetchProgram.Prepare();
        var clock = Stopwatch.StartNew();
        Assert.Equal(0, FetchProgram.Run(data, Http, name).ExitCode);
        int whole = (int)clock.ElapsedMilliseconds, killed = 0;
        RequireRefetchable(data);
        for (int round = 0; round < 25; round++)
        {
            using (var process = FetchProgram.Start(data, [Http, name]))
            {
                killed += process.WaitForExit(random.Next(whole)) ? 0 : 1;
                process.Kill();
                process.WaitForExit();
            }

            // Whatever has its name in the store is right, at any time.
            RequireBlobsRight(data);
            if (round % 5 == 4)
            {
                Assert.Equal((0, ""), FetchProgram.Run(data, Http, name) is var result ? (result.ExitCode, result.Errors) : default);
                RequireReadable(scratch, $"{registry.Host}/some/image:1", umoci: round == 24);
                if (round < 24)
                {
                    RequireRefetchable(data);
                }
            }
        }

        Assert.True(killed > 0, "it was never killed at work");
    }

    [Fact]
    public void A_full_disk_is_told_in_one_line_and_the_fetch_goes_on_when_there_is_room()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting a tmpfs takes root");
        using var scratch = new LayerScratch();

        // How much it becomes when it is unpacked, nobody can know before.
        var image = new TestImage().AddLayer(TestImage.Tar("file0", TestImage.Noise(1, 100_000))).AddLayer(TestImage.Tar("file1", new byte[8_000_000])).Finish();
        using var registry = Serve(scratch, image, "");
        scratch.Shell("mkdir data && mount -t tmpfs -o size=3m tmpfs data");
        try
        {
            string name = $"docker://{registry.Host}/some/image:1";
            var result = FetchProgram.Run(scratch.Path + "/data", Http, name);
            Assert.Equal((254, ""), (result.ExitCode, result.Output));
            Assert.Matches("^nacelle: [^\n]*: ENOSPC [^\n]*\n$", result.Errors);
            Assert.Empty(Directory.GetFileSystemEntries(scratch.Path + "/data/layers", ".*"));
            Assert.Empty(Directory.GetFileSystemEntries(scratch.Path + "/data/refs"));
            scratch.Shell("mount -o remount,size=30m data");
            Assert.Equal(0, FetchProgram.Run(scratch.Path + "/data", Http, name).ExitCode);
            RequireReadable(scratch, $"{registry.Host}/some/image:1", umoci: true, image);
        }
        finally
        {
            scratch.Shell("umount data");
        }
    }

    [Fact]
    public void An_interrupt_ends_it_in_good_order()
    {
        using var scratch = new LayerScratch();
        using var registry = new FaultyRegistry(Image, (request, _, answer) =>
            FaultyRegistry.IsBlob(request, Image.Layers[1]) ? answer with { EndAfter = 100_000, Stall = true } : answer);
        var process = FetchProgram.Start(scratch.Path + "/data", [Http, registry.Name.ToString()]);
        while (!registry.Requests.Any(request => FaultyRegistry.IsBlob(request, Image.Layers[1])))
        {
            Thread.Sleep(10);
        }

        scratch.Shell(string.Create(CultureInfo.InvariantCulture, $"kill -INT {process.Id}"));
        var result = FetchProgram.Wait(process);
        Assert.Equal((130, ""), (result.ExitCode, result.Output));
        Assert.StartsWith("nacelle: interrupted", result.Errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(scratch.Path + "/data/layers", ".*"));
    }

    [Theory]
    [InlineData("nacelle: name at least one image; see nacelle help fetch")]
    [InlineData("nacelle: there is no flag --nope for fetch; see nacelle help fetch", "--nope", "docker://a")]
    [InlineData("nacelle: --pull-policy=often: use new, update or never", "--pull-policy=often", "docker://a")]
    [InlineData("nacelle: --platform: 'linux' is not a platform: write os/architecture or os/architecture/variant, as in linux/arm64", "--platform=linux", "docker://a")]
    [InlineData("nacelle: --insecure-options: there is no 'x'; use none, image, tls, ondisk, http, pubkey, capabilities, paths, seccomp, all-fetch, all-run, all", "--insecure-options=http,x", "docker://a")]
    [InlineData("nacelle: 'docker://A/' is not an image reference: the repository is missing", "docker://A/")]
    [InlineData("nacelle: cannot reach registry 127.0.0.1:1: connection refused", "docker://127.0.0.1:1/a")]
    [InlineData("nacelle: image not found: open /nowhere: ENOENT", "/nowhere")]
    public void A_mistake_is_told_in_one_line(string line, params string[] arguments)
    {
        using var scratch = new LayerScratch();
        Assert.Equal(new ProgramResult(254, "", line + "\n"), FetchProgram.Run(scratch.Path + "/data", arguments));
    }

    [Fact]
    public void A_directory_that_cannot_be_written_is_named()
    {
        using var scratch = new LayerScratch();
        scratch.Shell("touch file");
        var result = FetchProgram.Run(scratch.Path + "/file/data", "docker://127.0.0.1:1/a");
        Assert.Equal(254, result.ExitCode);
        Assert.Matches($"^nacelle: [^\n]*{scratch.Path}/file[^\n]*: ENOTDIR [^\n]*\n$", result.Errors);
    }

    [Fact]
    public void A_registry_behind_a_password_wants_the_one_in_the_config_file()
    {
        using var scratch = new LayerScratch();
        Assert.SkipUnless(File.Exists("/usr/bin/htpasswd"), "htpasswd is not installed");
        scratch.Shell("htpasswd -Bbc passwords user secret 2>/dev/null; mkdir docker");
        using var registry = new DockerRegistry(scratch, more: $"auth: {{htpasswd: {{realm: x, path: {scratch.Path}/passwords}}}}");
        Push(scratch, registry, Image, "--dest-creds=user:secret");
        string[] arguments = [Http, $"docker://{registry.Host}/some/image:1"];
        var refused = FetchProgram.Wait(FetchProgram.Start(scratch.Path + "/data", arguments, ("DOCKER_CONFIG", scratch.Path + "/docker")));
        Assert.Equal($"nacelle: registry {registry.Host} denies access to some/image: authentication required (401)\n", refused.Errors);
        File.WriteAllText(scratch.Path + "/docker/config.json", "{\"auths\":{\"" + registry.Host + "\":{\"auth\":\"dXNlcjpzZWNyZXQ=\"}}}");
        var let = FetchProgram.Wait(FetchProgram.Start(scratch.Path + "/data", arguments, ("DOCKER_CONFIG", scratch.Path + "/docker")));
        Assert.Equal((0, ""), (let.ExitCode, let.Errors));
    }

    [Fact]
    public void A_certificate_of_an_unknown_authority_is_refused_until_it_is_known_or_all_are_welcome()
    {
        using var scratch = new LayerScratch();
        scratch.Shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out crt -days 2 -subj /CN=x -addext subjectAltName=IP:127.0.0.1 2>/dev/null");
        using var registry = new DockerRegistry(scratch, http: $"tls: {{certificate: {scratch.Path}/crt, key: {scratch.Path}/key}}");
        Push(scratch, registry, Image, "");
        string name = $"docker://{registry.Host}/some/image:1", data = scratch.Path + "/data";
        string refusal = $"nacelle: cannot reach registry {registry.Host}: its certificate is not trusted; put its authority into /etc/containers/certs.d/{registry.Host}/ca.crt, or use --insecure-options=tls\n";
        Assert.Equal(new ProgramResult(254, "", refusal), FetchProgram.Run(data, name));
        Assert.Equal(new ProgramResult(254, "", refusal), FetchProgram.Run(data, Http, name));
        Assert.Equal(0, FetchProgram.Run(data, "--insecure-options=tls", name).ExitCode);
        Assert.Equal(0, FetchProgram.Wait(FetchProgram.Start(data, [name], ("SSL_CERT_FILE", scratch.Path + "/crt"))).ExitCode);

        Assert.SkipUnless(Environment.IsPrivilegedProcess, "writing below /etc takes root");
        string authorities = $"/etc/containers/certs.d/{registry.Host}";
        Directory.CreateDirectory(authorities);
        try
        {
            File.Copy(scratch.Path + "/crt", authorities + "/ca.crt");
            Assert.Equal((0, ""), FetchProgram.Run(data, name) is var known ? (known.ExitCode, known.Errors) : default);
        }
        finally
        {
            Directory.Delete(authorities, recursive: true);
        }
    }

    static DockerRegistry Serve(LayerScratch scratch, TestImage image, string format)
    {
        var registry = new DockerRegistry(scratch);
        Push(scratch, registry, image, format);
        return registry;
    }

    static void Push(LayerScratch scratch, DockerRegistry registry, TestImage image, string options)
    {
        image.WriteLayout(scratch.Path + "/layout", "t");
        scratch.Shell($"skopeo copy -q {options} --dest-tls-verify=false oci:layout:t docker://{registry.Host}/some/image:1");
    }

    /// <summary>Has skopeo copy the image out, which checks every digest, and umoci unpack it.</summary>
    static void RequireReadable(LayerScratch scratch, string name, bool umoci, TestImage? image = null)
    {
        scratch.Shell($"rm -rf copy; skopeo copy -q oci:data/images:{name} dir:copy");
        if (umoci)
        {
            Assert.Contains(name, scratch.Shell("umoci list --layout data/images"), StringComparison.Ordinal);
            scratch.Shell($"rm -rf bundle; umoci unpack --image data/images:{name} bundle && cmp bundle/rootfs/file1 data/layers/sha256-{(image ?? Image).DiffIds[1].Hex}/rootfs/file1");
        }
    }

    static void RequireBlobsRight(string data)
    {
        string blobs = data + "/images/blobs/sha256";
        foreach (string path in Directory.Exists(blobs) ? Directory.GetFiles(blobs) : [])
        {
            Assert.Equal(Path.GetFileName(path), ContentStore.DigestOf(File.ReadAllBytes(path)).Hex);
        }
    }

    /// <summary>Takes the image away again, so that the next round begins anew, and sees that nothing stays behind.</summary>
    static void RequireRefetchable(string data)
    {
        using var store = ImageStore.Open(data);
        Assert.True(store.Remove(store.List().Single(), () => new HashSet<Digest>()));
        Assert.True(store.Collect(() => new HashSet<Digest>(), TimeSpan.Zero));
        Assert.Empty(store.Content.List());
        Assert.Empty(Directory.GetFileSystemEntries(data + "/layers"));
        Assert.Empty(Directory.GetFileSystemEntries(data + "/ingest"));
    }
}
