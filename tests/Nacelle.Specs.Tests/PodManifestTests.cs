using System.Text;

namespace Nacelle.Specs.Tests;

public sealed class PodManifestTests
{
    static PodManifest Parse(string json) => PodManifest.Parse(Encoding.UTF8.GetBytes(json), "pod.json");

    static string Pod(string apps, string more = "") => $$"""{"acKind":"PodManifest","acVersion":"0.8.11","apps":[{{apps}}]{{more}}}""";

    const string App = """{"name":"redis","image":{"id":"sha256-1"},"app":{"exec":["/r"],"user":"0","group":"0"}}""";

    [Fact]
    public void A_manifest_is_read_and_written_alike()
    {
        const string Whole = """
            {"name":"a","image":{"id":"sha256-1","name":"n","labels":[{"name":"os","value":"linux"}]},"readOnlyRootFS":true,
             "mounts":[{"volume":"v","path":"/v"}],"annotations":[{"name":"x","value":"y"}],
             "app":{"exec":["/bin/a","b"],"user":"u","group":"g","supplementaryGIDs":[1,2],"workingDirectory":"/w","environment":[{"name":"A","value":"B"}],
                    "mountPoints":[{"name":"v","path":"/v","readOnly":true}],"ports":[{"name":"p","protocol":"tcp","port":80,"count":2,"socketActivated":true}],
                    "isolators":[{"name":"resource/memory","value":{"limit":"1G"}}],"userAnnotations":{"k":"v"},"userLabels":{"l":"m"}}}
            """;
        var manifest = Parse(Pod(Whole, ""","volumes":[{"name":"v","kind":"empty","mode":"0700","uid":1,"gid":2}],"ports":[{"name":"p","hostPort":8080,"hostIP":"127.0.0.1","podPort":{"name":"p","protocol":"tcp","port":80}}]"""));
        var again = PodManifest.Parse(manifest.ToJson(), "again");
        Assert.Equal(Encoding.UTF8.GetString(manifest.ToJson()), Encoding.UTF8.GetString(again.ToJson()));
        Assert.Equal(["/bin/a", "b"], again.Apps[0].App!.Exec);
        Assert.Equal("1G", again.Apps[0].App!.Isolators[0].Value.GetProperty("limit").GetString());
        Assert.True(again.Apps[0].ReadOnlyRootFileSystem);
        Assert.Equal(8080u, again.Ports[0].HostPort);
        Assert.Equal(80u, again.Ports[0].Port!.Port);
    }

    [Theory]
    [InlineData("""{"name":"My App","image":{"id":"x"}}""", "pod.json: apps[0].name: 'My App' is not a valid name")]
    [InlineData("""{"name":"a","image":{"id":7}}""", "pod.json: apps[0].image.id: 7 is not a string")]
    [InlineData("""{"name":"a"}""", "pod.json: apps[0].image: is missing")]
    [InlineData("""{"name":"a","image":{"id":"x"},"app":{"user":"0","group":"0","workingDirectory":"w"}}""", "pod.json: apps[0].app.workingDirectory: 'w' is not an absolute path")]
    [InlineData("""{"name":"a","image":{"id":"x"},"app":{"user":"0","group":"0","supplementaryGIDs":[-1]}}""", "pod.json: apps[0].app.supplementaryGIDs[0]: -1 is not a whole number")]
    [InlineData("""{"name":"a","image":{"id":"x"},"app":{"user":"0","group":"0","mountPoints":[{"name":"m","path":"p"}]}}""", "apps[0].app.mountPoints[0].path")]
    public void What_is_wrong_with_an_app_is_said_with_its_path(string app, string complaint) =>
        Assert.StartsWith(complaint.StartsWith("pod", StringComparison.Ordinal) ? complaint : "pod.json: " + complaint, Assert.Throws<SpecException>(() => Parse(Pod(app))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(""","volumes":[{"name":"v","kind":"host","source":"relative"}]""", "volumes[0].source")]
    [InlineData(""","volumes":[{"name":"v","kind":"tape"}]""", "volumes[0].kind")]
    [InlineData(""","volumes":[{"name":"v","kind":"empty","source":"/x"}]""", "volumes[0].source")]
    [InlineData(""","volumes":[{"name":"v","kind":"empty"},{"name":"v","kind":"empty"}]""", "volumes[1].name")]
    public void What_is_wrong_with_a_volume_is_said_with_its_path(string volumes, string path) =>
        Assert.Contains($"pod.json: {path}: ", Assert.Throws<SpecException>(() => Parse(Pod(App, volumes))).Message, StringComparison.Ordinal);

    [Fact]
    public void Two_apps_of_one_name_are_refused() =>
        Assert.Contains("apps[1].name", Assert.Throws<SpecException>(() => Parse(Pod(App + "," + App))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"acKind":"PodManifest","acKind":"PodManifest","acVersion":"1","apps":[]}""")]
    [InlineData("""{"acKind":"ImageManifest","acVersion":"1","apps":[]}""")]
    public void What_is_no_pod_manifest_is_refused_by_its_source(string json) =>
        Assert.StartsWith("pod.json: ", Assert.Throws<SpecException>(() => Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Unknown_members_are_passed_over() => Assert.Single(Parse(Pod(App, ""","future":{"a":[1]}""")).Apps);

    [Theory]
    [InlineData("docker.io/library/Redis", "docker-io-library-redis")]
    [InlineData("--a__b--", "a-b")]
    [InlineData("X", "x")]
    public void A_name_can_be_made_of_any_text(string text, string expected) => Assert.Equal(expected, AppName.From(text).ToString());

    [Theory]
    [InlineData("a", true)]
    [InlineData("a-b-2", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData("a--b", false)]
    [InlineData("A", false)]
    [InlineData("a.b", false)]
    public void Names_have_a_grammar(string text, bool valid) => Assert.Equal(valid, AppName.IsValid(text));
}
