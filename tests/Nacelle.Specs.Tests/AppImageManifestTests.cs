using System.Text;

namespace Nacelle.Specs.Tests;

public sealed class AppImageManifestTests
{
    public const string Whole = """
        {"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/reduce-worker",
         "labels":[{"name":"version","value":"1.0.0"},{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],
         "app":{"exec":["/usr/bin/reduce-worker","--quiet"],"user":"100","group":"300","supplementaryGIDs":[400,500],
                "eventHandlers":[{"name":"pre-start","exec":["/usr/bin/data-downloader"]},{"name":"post-stop","exec":["/usr/bin/deregister","--verbose"]}],
                "workingDirectory":"/opt/work","environment":[{"name":"REDUCE_WORKER_DEBUG","value":"true"}],
                "isolators":[{"name":"resource/cpu","value":{"request":"250m","limit":"500m"}}],
                "mountPoints":[{"name":"work","path":"/var/lib/work","readOnly":true}],
                "ports":[{"name":"health","port":4000,"protocol":"tcp","socketActivated":true}],
                "userAnnotations":{"k":"v"},"userLabels":{"l":"m"}},
         "dependencies":[{"imageName":"example.com/base","imageID":"sha512-DIGITS","labels":[{"name":"os","value":"linux"}],"size":22017258}],
         "pathWhitelist":["/etc/ca/example.com/crt","/usr/bin/map-reduce-worker","/opt/empty/"],
         "annotations":[{"name":"authors","value":"A <a@example.com>"},{"name":"created","value":"2014-10-27T19:32:27.67021798Z"},{"name":"homepage","value":"https://example.com"}]}
        """;

    static AppImageManifest Read(string json)
    {
        var manifest = AppImageManifest.Parse(Encoding.UTF8.GetBytes(json.Replace("DIGITS", new string('a', 128), StringComparison.Ordinal)), "manifest");
        manifest.Check("manifest");
        return manifest;
    }

    [Fact]
    public void Every_field_of_the_specification_is_read_and_written_alike()
    {
        var manifest = Read(Whole);
        var written = Encoding.UTF8.GetString(manifest.ToJson());
        Assert.Equal(written, Encoding.UTF8.GetString(Read(written).ToJson()));
        foreach (var word in Whole.Replace("DIGITS", new string('a', 128), StringComparison.Ordinal).Split('"').Where((_, i) => i % 2 == 1))
        {
            Assert.Contains($"\"{word}\"", written.Replace("\\u003C", "<", StringComparison.Ordinal).Replace("\\u003E", ">", StringComparison.Ordinal), StringComparison.Ordinal);
        }

        Assert.Equal(22017258ul, manifest.Dependencies[0].Size);
        Assert.Equal("1.0.0", manifest.Label("version"));
        Assert.Equal("/usr/bin/deregister", manifest.App!.EventHandlers[1].Exec[0]);
    }

    [Theory]
    [InlineData("\"ImageManifest\"", "\"PodManifest\"", "manifest: acKind: 'PodManifest' is not 'ImageManifest'")]
    [InlineData("0.8.11", "0.8", "manifest: acVersion: '0.8' is not a version")]
    [InlineData("example.com/reduce-worker", "Example.com", "manifest: name: 'Example.com' is not a valid name")]
    [InlineData("example.com/reduce-worker", "example.com//x", "manifest: name: 'example.com//x' is not a valid name")]
    [InlineData("example.com/reduce-worker", "", "manifest: name: '' is not a valid name")]
    [InlineData("\"name\":\"version\"", "\"name\":\"Version\"", "manifest: labels[0].name: 'Version' is not a valid name")]
    [InlineData("\"name\":\"version\"", "\"name\":\"name\"", "manifest: labels[0].name: 'name' is no label")]
    [InlineData("\"name\":\"version\"", "\"name\":\"os\"", "manifest: labels[1].name: 'os' stands twice")]
    [InlineData("\"amd64\"", "\"x86_64\"", "manifest: labels: linux has no arch 'x86_64'")]
    [InlineData("{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\"", "{\"name\":\"arch\"", "manifest: labels: an arch needs an os")]
    [InlineData("{\"name\":\"os\",\"value\":\"linux\"},", "{\"name\":\"os\",\"value\":\"plan9\"},", "manifest: labels: there is no os 'plan9'")]
    [InlineData("\"user\":\"100\"", "\"user\":\"\"", "manifest: app.user: is empty")]
    [InlineData("\"pre-start\"", "\"pre-stop\"", "manifest: app.eventHandlers[0].name: 'pre-stop' is not one of pre-start and post-stop")]
    [InlineData("\"pre-start\"", "\"post-stop\"", "manifest: app.eventHandlers[1].name: 'post-stop' is not one of pre-start and post-stop")]
    [InlineData("[\"/usr/bin/data-downloader\"]", "[]", "manifest: app.eventHandlers[0].exec: names no program")]
    [InlineData("/opt/work", "opt/work", "manifest: app.workingDirectory: 'opt/work' is not an absolute path")]
    [InlineData("REDUCE_WORKER_DEBUG", "A=B", "manifest: app.environment[0].name: 'A=B' cannot name a variable")]
    [InlineData("\"name\":\"work\"", "\"name\":\"w rk\"", "manifest: app.mountPoints[0].name: 'w rk' is not a valid name")]
    [InlineData("\"port\":4000", "\"port\":65536", "manifest: app.ports[0]: is not a range of ports")]
    [InlineData("\"protocol\":\"tcp\"", "\"protocol\":\"icmp\"", "manifest: app.ports[0]: is not a range of ports")]
    [InlineData("example.com/base", "/base", "manifest: dependencies[0].imageName: '/base' is not a valid name")]
    [InlineData("sha512-DIGITS", "sha512-12", "manifest: dependencies[0].imageID: 'sha512:12' is not a digest")]
    [InlineData("/etc/ca/example.com/crt", "etc", "manifest: pathWhitelist[0]: 'etc' is not an absolute path")]
    [InlineData("/etc/ca/example.com/crt", "/../etc", "manifest: pathWhitelist[0]: '/../etc' is not an absolute path without '..'")]
    [InlineData("2014-10-27T19:32:27.67021798Z", "yesterday", "manifest: annotations[1].value: 'yesterday' is not a time")]
    [InlineData("https://example.com", "example", "manifest: annotations[2].value: 'example' is not a URL")]
    public void What_breaks_a_rule_is_said_with_its_path(string valid, string invalid, string complaint)
    {
        Assert.Contains(valid, Whole, StringComparison.Ordinal);
        Assert.StartsWith(complaint, Assert.Throws<SpecException>(() => Read(Whole.Replace(valid, invalid, StringComparison.Ordinal))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_may_have_nothing_to_run() =>
        Assert.Null(Read("""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/base"}""").App);
}
