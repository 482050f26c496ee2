using System.Diagnostics;

namespace Nacelle.Specs.Tests;

public sealed class RuntimeConfigCheckTests
{
    [Fact]
    public void A_document_with_every_member_is_fine() => Assert.Null(WholeConfig.Complaint(WholeConfig.Json));

    [Fact]
    public void A_document_may_have_nothing_but_a_version_and_a_root() =>
        Assert.Null(WholeConfig.Complaint("""{"ociVersion":"1.0.0","root":{"path":"rootfs"}}"""));

    [Theory]
    [InlineData("crun", "spec")]
    [InlineData("crun", "spec --rootless")]
    [InlineData("runc", "spec")]
    [InlineData("runc", "spec --rootless")]
    public void What_other_runtimes_write_for_a_beginning_is_fine(string runtime, string arguments)
    {
        Assert.SkipUnless(File.Exists($"/usr/bin/{runtime}") || File.Exists($"/usr/sbin/{runtime}"), $"{runtime} is not installed");
        var bundle = Directory.CreateTempSubdirectory("nacelle-spec-");
        try
        {
            using var process = Process.Start(new ProcessStartInfo(runtime, arguments) { WorkingDirectory = bundle.FullName })!;
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            Assert.Null(WholeConfig.Complaint(File.ReadAllText(Path.Combine(bundle.FullName, "config.json"))));
        }
        finally
        {
            bundle.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("1.0.0")]
    [InlineData("1.0.2-dev")]
    [InlineData("1.3.0-rc.2+build.007")]
    [InlineData("1.99.0")]
    public void Every_release_of_version_1_is_taken(string version) => Assert.Null(WholeConfig.Complaint(WholeConfig.With("ociVersion", $"\"{version}\"")));

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1.0")]
    [InlineData("1.0.0.0")]
    [InlineData("1.00.0")]
    [InlineData("1.0.-0")]
    [InlineData("v1.0.0")]
    [InlineData("1.0.0-")]
    [InlineData("1.0.0-01")]
    [InlineData("1.0.0-a..b")]
    [InlineData("1.0.0-a_b")]
    [InlineData("1.0.0+")]
    [InlineData("1.0.0+a+b")]
    [InlineData(" 1.0.0")]
    public void What_is_no_semantic_version_is_refused(string version) =>
        Assert.Equal($"ociVersion: '{version}' is not a version such as 1.3.0", WholeConfig.Complaint(WholeConfig.With("ociVersion", $"\"{version}\"")));

    [Theory]
    [InlineData("0.1.0")]
    [InlineData("2.0.0")]
    [InlineData("10.0.0")]
    public void Another_major_version_is_refused(string version) =>
        Assert.Equal($"ociVersion: version {version} of the specification is not supported: use 1.0.0 to 1.3.0", WholeConfig.Complaint(WholeConfig.With("ociVersion", $"\"{version}\"")));

    [Theory]
    [InlineData("root", "null", "root: is missing")]
    [InlineData("root.path", "\"\"", "root.path: is empty")]
    [InlineData("root.path", "\"a\\u0000b\"", "root.path: holds a NUL, where the kernel would cut it off")]
    [InlineData("hostname", "\"a\\u0000b\"", "hostname: holds a NUL, where the kernel would cut it off")]
    [InlineData("hostname", "\"0123456789012345678901234567890123456789012345678901234567890123x\"", "hostname: '012345678901234567890123456789012345678901234567890123456789…' is too long: at most 64 bytes")]
    [InlineData("domainname", "\"äääääääääääääääääääääääääääääääää\"", "domainname: 'äääääääääääääääääääääääääääääääää' is too long: at most 64 bytes")]
    [InlineData("linux.namespaces", """[{"type":"user"},{"type":"mount"},{"type":"network"},{"type":"time"}]""", "hostname: would rename the host: give the container a uts namespace")]
    [InlineData("annotations", """{"":"x"}""", "annotations: one of the keys is empty")]
    [InlineData("hooks.prestart[0].path", "\"bin/a\"", "hooks.prestart[0].path: 'bin/a' is not an absolute path")]
    [InlineData("hooks.poststop[1].timeout", "0", "hooks.poststop[1].timeout: 0 is not a number of seconds above zero")]
    [InlineData("hooks.createRuntime[0].timeout", "-1", "hooks.createRuntime[0].timeout: -1 is not a number of seconds above zero")]
    [InlineData("hooks.createContainer[0].args", """["a","b\u0000"]""", "hooks.createContainer[0].args[1]: holds a NUL, where the kernel would cut it off")]
    [InlineData("hooks.startContainer[0].env", """["\u0000"]""", "hooks.startContainer[0].env[0]: holds a NUL, where the kernel would cut it off")]
    [InlineData("hooks.poststart[0].path", "\"\"", "hooks.poststart[0].path: '' is not an absolute path")]
    public void A_broken_rule_is_named_with_its_path(string path, string value, string complaint) =>
        Assert.Equal(complaint, WholeConfig.Complaint(WholeConfig.With(path, value)));

    [Fact]
    public void A_joined_uts_namespace_takes_a_host_name() =>
        Assert.Null(WholeConfig.Complaint("""{"ociVersion":"1.0.0","root":{"path":"r"},"hostname":"h","linux":{"namespaces":[{"type":"uts","path":"/proc/1/ns/uts"}]}}"""));

    [Fact]
    public void A_process_is_not_needed() => Assert.Null(WholeConfig.Complaint(WholeConfig.With("process", "null")));
}
