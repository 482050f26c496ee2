using System.Diagnostics;

namespace Nacelle.EndToEnd.Tests;

/// <summary>rkt's promise: an image is found by its name, checked by its signature, and addressed by its content. The server is nginx, the signer GnuPG.</summary>
public sealed class DiscoveryTests : IDisposable
{
    readonly Machine machine = new();
    readonly AppcSite site;

    public DiscoveryTests() => site = new AppcSite(machine.Path);

    public void Dispose()
    {
        site.Dispose();
        machine.Dispose();
    }

    Result Nacelle(params string[] arguments) => site.Run(Machine.Program, [$"--dir={machine.Data}", $"--local-config={machine.Path}/etc", $"--system-config={machine.Path}/lib", .. arguments]);

    Result Trust(string key, string prefix = "example.com/redis") => Nacelle("trust", $"--prefix={prefix}", "--skip-fingerprint-review", site.Export(key));

    void Refused(string reason)
    {
        var fetch = Nacelle("fetch", "example.com/redis");
        Assert.True(fetch is { ExitCode: 254, Output: "" }, fetch.ToString());
        Assert.Contains(reason, fetch.Errors, StringComparison.Ordinal);
        Assert.Single(fetch.Errors.TrimEnd('\n').Split('\n'), line => line.StartsWith("nacelle: ", StringComparison.Ordinal));
        Assert.Empty(Nacelle("image", "list", "--no-legend").Output);
    }

    [Fact]
    public void The_whole_dialogue_from_a_name_to_a_running_app()
    {
        var key = site.MakeKey("Example <example@example.com>");
        site.Publish("example.com/redis", "echo it runs", key);
        site.OfferKey(key);

        // As a person does it: keys by discovery, looked at and agreed to.
        var trust = site.Run("/bin/sh", "-c", $"echo yes | {Machine.Program} --dir={machine.Data} --local-config={machine.Path}/etc trust --prefix=example.com/redis");
        Assert.True(trust.ExitCode == 0, trust.ToString());
        Assert.Contains("prefix: \"example.com/redis\"\nkey: \"https://example.com/pubkeys.gpg\"\n", trust.Output, StringComparison.Ordinal);
        Assert.Contains("\tExample <example@example.com>\nAre you sure you want to trust this key (yes/no)?\n", trust.Output, StringComparison.Ordinal);
        Assert.Contains($"{machine.Path}/etc/trustedkeys/prefix.d/example.com/redis/{key}", trust.Output, StringComparison.Ordinal);

        var fetch = Nacelle("fetch", "example.com/redis");
        Assert.True(fetch.ExitCode == 0, fetch.ToString());
        Assert.Matches(@"^sha512-[0-9a-f]{32}\n$", fetch.Output);
        Assert.Matches(@"^Downloading signature: \[=+\] +\d+ B/\d+ B *\nDownloading ACI: \[=+\] +[0-9.]+ [KM]iB/[0-9.]+ [KM]iB *\nimage: signature verified:\n  Example <example@example.com>\n$", fetch.Errors);

        var run = Nacelle("run", "example.com/redis");
        Assert.True(run is { ExitCode: 0, Output: "it runs\n" }, run.ToString());
        Assert.Contains("example.com/redis:1.0", Nacelle("image", "list").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_nacelle_signs_it_trusts()
    {
        string first = site.MakeKey("A"), second = site.MakeKey("B");
        site.Publish("example.com/redis", "echo signed", first);
        Assert.Equal(0, Trust(second).ExitCode);
        Refused("which is not trusted");
        var sign = site.SignByNacelle("redis.aci", second);
        Assert.True(sign.ExitCode == 0, sign.ToString());
        Assert.Equal("signed\n", Nacelle("run", "example.com/redis").Output);
    }

    [Fact]
    public void Nobodys_key_is_trusted()
    {
        site.Publish("example.com/redis", "true", site.MakeKey("A"));
        Refused("no key is trusted for image example.com/redis");
    }

    [Fact]
    public void Another_key_is_trusted()
    {
        site.Publish("example.com/redis", "true", site.MakeKey("A"));
        Assert.Equal(0, Trust(site.MakeKey("B")).ExitCode);
        Refused("which is not trusted");
    }

    [Fact]
    public void The_key_is_trusted_for_another_prefix()
    {
        var key = site.MakeKey("A");
        site.Publish("example.com/redis", "true", key);
        Assert.Equal(0, Trust(key, "example.com/other").ExitCode);
        Refused("no key is trusted for image example.com/redis");
    }

    [Fact]
    public void The_key_has_expired()
    {
        var key = site.MakeKey("A", "2021-01-01", "20200101T000000!");
        site.Publish("example.com/redis", "true", key, "20200601T000000!");
        Assert.Equal(0, Trust(key).ExitCode);
        Refused("which expired 2021-01-01");
    }

    [Fact]
    public void The_key_was_revoked()
    {
        var key = site.MakeKey("A");
        site.Publish("example.com/redis", "true", key);
        site.Revoke(key);
        Assert.Equal(0, Trust(key).ExitCode);
        Refused("which is revoked");
    }

    [Fact]
    public void The_image_was_tampered_with()
    {
        var key = site.MakeKey("A");
        site.Publish("example.com/redis", "true", key);
        Assert.Equal(0, Trust(key).ExitCode);
        site.Change("redis.aci", bytes => bytes[bytes.Length / 2] ^= 1);
        Refused("its signature is bad");
    }

    [Theory]
    [InlineData("fetch")]
    [InlineData("image fetch")]
    [InlineData("run")]
    [InlineData("prepare")]
    public void A_signature_may_lie_elsewhere(string command)
    {
        var key = site.MakeKey("A");
        site.Publish("example.com/base", "true", key);
        site.Publish("example.com/redis", "true", key, dependency: "example.com/base");
        Assert.Equal(0, Trust(key, "example.com").ExitCode);
        string signature = site.TakeAway("redis.aci.asc"), other = site.TakeAway("base.aci.asc");
        Refused("redis.aci.asc: not found");
        string[] Arguments(string file) => [.. command.Split(' '), "example.com/redis", $"--signature={file}"];
        Assert.Contains("its signature is bad", Nacelle(Arguments(other)).Errors, StringComparison.Ordinal);
        Assert.Contains("base.aci.asc: not found", Nacelle(Arguments(signature)).Errors, StringComparison.Ordinal); // for which the flag is not
        Assert.Equal(0, Nacelle("fetch", "example.com/base", $"--signature={other}").ExitCode);
        site.PutBack("base.aci.asc");
        var result = Nacelle(Arguments(signature));
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [Fact]
    public void A_signature_stands_behind_an_appc_image()
    {
        Assert.Equal("nacelle: --signature goes behind the image that it is for\n", Nacelle("fetch", "--signature=/f", "example.com/redis").Errors);
        Assert.Contains("only appc images have detached signatures", Nacelle("fetch", "docker://example.com/redis", "--signature=/f").Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void The_signature_was_tampered_with()
    {
        var key = site.MakeKey("A");
        site.Publish("example.com/redis", "true", key);
        Assert.Equal(0, Trust(key).ExitCode);
        site.ReplaceSignature("redis.aci.asc", key);
        Refused("its signature is bad");
    }

    [Fact]
    public void There_is_no_signature()
    {
        var key = site.MakeKey("A");
        site.Publish("example.com/redis", "true", key);
        Assert.Equal(0, Trust(key).ExitCode);
        site.Remove("redis.aci.asc");
        Refused("https://example.com/redis.aci.asc");
    }

    [Fact]
    public void Names_were_swapped()
    {
        var key = site.MakeKey("A");
        site.Publish("example.com/redis", "true", key);
        site.Publish("example.com/other", "true", key);
        Assert.Equal(0, Trust(key, "example.com").ExitCode);
        site.Swap("redis", "other");
        Refused("is not example.com/redis: its manifest says example.com/other:1.0");
    }

    [Fact]
    public void Dependencies_are_found_and_checked_the_same_way()
    {
        var key = site.MakeKey("A");
        site.Publish("example.com/base", "true", key);
        site.Publish("example.com/redis", "cat /from-base", key, dependency: "example.com/base");
        Assert.Equal(0, Trust(key, "example.com").ExitCode);
        var run = Nacelle("run", "example.com/redis");
        Assert.True(run is { ExitCode: 0, Output: "example.com/base\n" }, run.ToString());
        Assert.Equal(2, run.Errors.Split("signature verified").Length - 1);
    }

    [Fact]
    public void Unsigned_images_are_taken_where_that_is_asked_for()
    {
        site.Publish("example.com/redis", "echo unsigned", site.MakeKey("A"));
        var run = Nacelle("--insecure-options=image", "run", "example.com/redis");
        Assert.True(run is { ExitCode: 0, Output: "unsigned\n" }, run.ToString());
        Assert.DoesNotContain("signature", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_from_the_images_own_pages_are_trusted_by_flag()
    {
        var key = site.MakeKey("A");
        site.Publish("example.com/redis", "true", key);
        site.OfferKey(key);
        Refused("no key is trusted");
        var fetch = Nacelle("--trust-keys-from-https", "fetch", "example.com/redis");
        Assert.True(fetch.ExitCode == 0, fetch.ToString());
        Assert.Contains("Added key for prefix \"example.com/redis\"", fetch.Errors, StringComparison.Ordinal);
        Assert.Equal(0, Nacelle("fetch", "example.com/redis").ExitCode);
    }

    [Fact]
    public void Keys_may_come_by_plain_http_only_where_that_is_asked_for_and_a_person_agrees()
    {
        Machine.Require("/usr/bin/script", "/usr/bin/busybox");
        var key = site.MakeKey("A");
        site.Publish("example.com/redis", "true", key);
        site.OfferKey(key, "http");
        Result Fetch(string flags) => site.Run(
            "/bin/sh", "-c", $"{site.ServingPlainly}; (sleep 2; echo yes) | script -qec '{Machine.Program} --dir={machine.Data} --local-config={machine.Path}/etc {flags} fetch example.com/redis' /dev/null");
        var without = Fetch("--trust-keys-from-https");
        Assert.True(without.ExitCode == 254 && !without.Output.Contains("Added key", StringComparison.Ordinal), without.ToString());
        var fetch = Fetch("--insecure-options=pubkey");
        Assert.True(fetch.ExitCode == 0, fetch.ToString());
        Assert.Contains("key: \"http://example.com/pubkeys.gpg\"", fetch.Output, StringComparison.Ordinal);
        Assert.Contains("Added key for prefix \"example.com/redis\"", fetch.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stage1_is_found_checked_and_run_like_any_image()
    {
        Machine.Require("/usr/bin/jq");
        var key = site.MakeKey("A");
        site.PublishFile(new ShellStage1(machine).Pack(), key);
        string[] run = ["run", "--stage1-name=example.com/stage1-shell", "--insecure-options=none", .. Local()];
        var untrusted = Nacelle(run);
        Assert.Contains("no key is trusted for image example.com/stage1-shell", Assert.Single(untrusted.Errors.TrimEnd('\n').Split('\n'), line => line.StartsWith("nacelle: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(0, Trust(key, "example.com/stage1-shell").ExitCode);
        var trusted = Nacelle(run);
        Assert.True(trusted.ExitCode == 0 && trusted.Output.Contains("by the shell", StringComparison.Ordinal), trusted.ToString());
        Assert.Contains("signature verified", trusted.Errors, StringComparison.Ordinal);

        string[] Local()
        {
            // An image that is in the store already, whoever vouched for it.
            Assert.Equal(0, Nacelle("--insecure-options=image", "fetch", TestImages.Busybox).ExitCode);
            return [TestImages.Busybox, "--exec=/bin/echo", "--", "by the shell"];
        }
    }

    [Fact]
    public void Images_may_be_named_as_rkt_wrote_them_down()
    {
        var key = site.MakeKey("A");
        site.Publish("example.com/redis", "echo named", key);
        Assert.Equal(0, Trust(key).ExitCode);
        const string Name = "cimd:appc:v=0:example.com/redis?version=1.0";
        var fetch = Nacelle("fetch", "--full", Name);
        Assert.True(fetch.ExitCode == 0, fetch.ToString());
        Assert.Equal(fetch.Output, Nacelle("fetch", "--full", "cimd:aci-archive:v=0:https%3A%2F%2Fexample.com%2Fredis.aci").Output);
        Assert.Equal("named\n", Nacelle("run", "--pull-policy=never", Name).Output);
        Assert.Contains("\"name\": \"example.com/redis\"", Nacelle("image", "cat-manifest", Name).Output, StringComparison.Ordinal);
        Assert.Equal(0, Nacelle("image", "rm", Name).ExitCode);
        Assert.Equal("", Nacelle("image", "list", "--no-legend").Output);
        Refuses("only v=0 is known", "cimd:appc:v=1:example.com/redis");
        Refuses("not distributed as 'tape'", "cimd:tape:v=0:x");
        Refuses("the image 'docker://docker.io/library/nothing:1' is not in the store", "cimd:docker:v=0:registry-1.docker.io/library/nothing:1");

        void Refuses(string reason, string name)
        {
            var run = Nacelle("run", "--pull-policy=never", name);
            Assert.True(run.ExitCode == 254, run.ToString());
            Assert.Contains(reason, Assert.Single(run.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_person_who_says_no_trusts_nobody()
    {
        var key = site.MakeKey("A");
        var trust = site.Run("/bin/sh", "-c", $"echo no | {Machine.Program} --dir={machine.Data} --local-config={machine.Path}/etc trust --root {site.Export(key)}");
        Assert.Equal(254, trust.ExitCode);
        Assert.False(Directory.Exists($"{machine.Path}/etc"));
    }

    [Fact]
    public void A_server_whose_certificate_nobody_knows_is_refused()
    {
        site.Publish("example.com/redis", "true", site.MakeKey("A"));
        var fetch = site.RunWithoutAuthority(Machine.Program, $"--dir={machine.Data}", "fetch", "example.com/redis");
        Assert.Equal(254, fetch.ExitCode);
        Assert.Contains("its certificate is not trusted", fetch.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_nobody_serves_is_told_in_one_line()
    {
        site.Publish("example.com/redis", "true", site.MakeKey("A"));
        var fetch = Nacelle("fetch", "example.com/nothing");
        Assert.True(fetch.ExitCode == 254 && fetch.Errors.Contains("example.com/nothing", StringComparison.Ordinal), fetch.ToString());
        Assert.Single(fetch.Errors.TrimEnd('\n').Split('\n'));
    }
}
