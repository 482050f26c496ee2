using System.Text;
using CsCheck;

namespace Nacelle.Specs.Tests;

public sealed class ConfigFileTests
{
    const string Auth = """{"rktKind":"auth","rktVersion":"v1","domains":["coreos.com","tectonic.com:8443"],"type":"basic","credentials":{"user":"foo","password":"bar"}}""";
    const string Token = """{"rktKind":"auth","rktVersion":"v1","domains":["coreos.com"],"type":"oauth","credentials":{"token":"sometoken"}}""";
    const string Aws = """{"rktKind":"auth","rktVersion":"v1","domains":["b.s3.amazonaws.com"],"type":"aws","credentials":{"accessKeyID":"foo","secretAccessKey":"bar","awsRegion":"eu-west-1"}}""";
    const string Docker = """{"rktKind":"dockerAuth","rktVersion":"v1","registries":["index.docker.io","quay.io"],"credentials":{"user":"foo","password":"bar"}}""";
    const string Paths = """{"rktKind":"paths","rktVersion":"v1","data":"/home/me/rkt","stage1-images":"/var/lib/stage1"}""";
    const string Stage1 = """{"rktKind":"stage1","rktVersion":"v1","name":"example.com/stage1","version":"1.2.3","location":"https://example.com/download/stage1.aci"}""";

    static readonly string[] Whole = [Auth, Token, Aws, Docker, Paths, Stage1];

    static ConfigFile Parse(string json) => ConfigFile.Parse(Encoding.UTF8.GetBytes(json), "x.json", "auth", "dockerAuth", "paths", "stage1");

    static string Refusal(string json) => Assert.Throws<SpecException>(() => Parse(json)).Message;

    [Fact]
    public void The_examples_of_rkts_manual_are_read()
    {
        var auth = Assert.IsType<ConfigFile.Auth>(Parse(Auth));
        Assert.Equal(["coreos.com", "tectonic.com:8443"], auth.Domains);
        Assert.Equal(new HostCredential.Basic("foo", "bar"), auth.Credential);
        Assert.Equal(new HostCredential.Token("sometoken"), Assert.IsType<ConfigFile.Auth>(Parse(Token)).Credential);
        Assert.Equal(new HostCredential.Aws("foo", "bar", "eu-west-1"), Assert.IsType<ConfigFile.Auth>(Parse(Aws)).Credential);
        Assert.Equal(["index.docker.io", "quay.io"], Assert.IsType<ConfigFile.DockerAuth>(Parse(Docker)).Registries);
        Assert.Equal(new ConfigFile.Paths("/home/me/rkt", "/var/lib/stage1"), Parse(Paths));
        Assert.Equal(new ConfigFile.Stage1("example.com/stage1", "1.2.3", "https://example.com/download/stage1.aci"), Parse(Stage1));
    }

    [Theory]
    [InlineData("""{"rktVersion":"v1"}""", "rktKind: is missing or empty")]
    [InlineData("""{"rktKind":"paths"}""", "rktVersion: is missing or empty")]
    [InlineData("""{"rktKind":"paths","rktVersion":"v2"}""", "rktVersion: 'v2' of paths is not known; it must be v1")]
    [InlineData("""{"rktKind":"net","rktVersion":"v1"}""", "rktKind: 'net' does not belong into this directory; here it is auth or dockerAuth or paths or stage1")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","type":"basic","credentials":{"user":"a","password":"b"}}""", "domains: is missing or empty")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","domains":["https://a"],"type":"basic","credentials":{"user":"a","password":"b"}}""", "domains[0]: 'https://a' is not a host, alone or with its port")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","domains":["a"],"type":"digest","credentials":{}}""", "type: 'digest' is not basic, oauth or aws")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","domains":["a"],"type":"basic"}""", "credentials: is missing")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","domains":["a"],"type":"basic","credentials":{"user":"a"}}""", "credentials.password: is missing")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","domains":["a"],"type":"basic","credentials":{"user":"a:b","password":"c"}}""", "credentials.user: is empty, or has a ':'")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","domains":["a"],"type":"oauth","credentials":{"token":"a\r\nX-Evil: 1"}}""", "credentials.token: is empty, or has other characters than those of ASCII that can be seen")]
    [InlineData("""{"rktKind":"paths","rktVersion":"v1","data":"relative"}""", "data: 'relative' is not an absolute path")]
    [InlineData("""{"rktKind":"stage1","rktVersion":"v1","name":"a"}""", "version: is missing: name and version of a stage1 go together")]
    [InlineData("""{"rktKind":"stage1","rktVersion":"v1","location":"ftp://a/b"}""", "location: 'ftp://a/b' is neither an absolute path nor a URL that begins with file, docker, http or https")]
    [InlineData("""{"rktKind":"stage1","rktVersion":"v1","location":"a.aci"}""", "location: 'a.aci' is neither an absolute path nor a URL that begins with file, docker, http or https")]
    public void What_is_wrong_is_said_with_its_place(string json, string complaint) => Assert.Equal($"x.json: {complaint}", Refusal(json));

    [Fact]
    public void Credentials_do_not_print_their_secrets()
    {
        foreach (var json in new[] { Auth, Token, Aws, Docker })
        {
            var text = Parse(json).ToString();
            Assert.DoesNotContain("bar", text, StringComparison.Ordinal);
            Assert.DoesNotContain("sometoken", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_was_read_is_written_so_that_it_is_read_again()
    {
        foreach (var json in Whole)
        {
            Assert.Equal(json.Length, SpecWriter.Write(Parse(json), (writer, file) => file.Write(writer)).Length);
        }
    }

    [Fact]
    public void Whatever_the_bytes_are_it_is_read_or_refused_in_one_line() =>
        Gen.Select(Gen.Int[0, Whole.Length - 1], Gen.Select(Gen.Int[0, 400], Gen.Byte, Gen.Int[0, 3]).List[1, 4]).Sample(
            (file, changes) =>
            {
                var bytes = Encoding.UTF8.GetBytes(Whole[file]).ToList();
                foreach (var (place, value, kind) in changes.Where(_ => bytes.Count > 0))
                {
                    int at = place % bytes.Count;
                    switch (kind)
                    {
                        case 0: bytes.RemoveAt(at); break;
                        case 1: bytes.Insert(at, value); break;
                        case 2: bytes.RemoveRange(at, Math.Min(value, bytes.Count - at - 1)); break;
                        default: bytes[at] = value; break;
                    }
                }

                try
                {
                    ConfigFile.Parse([.. bytes], "x.json", "auth", "dockerAuth", "paths", "stage1");
                    return true;
                }
                catch (SpecException refusal)
                {
                    return refusal.Message.StartsWith("x.json: ", StringComparison.Ordinal) && !refusal.Message.AsSpan().ContainsAny('\r', '\n');
                }
            },
            iter: 5000);
}
