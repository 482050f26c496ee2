using System.Text;
using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>registries.conf: which files count, and what they say of a name.</summary>
public sealed class RegistriesConfigurationTests : IDisposable
{
    /// <summary>The example of containers-registries.conf(5), and what else there is.</summary>
    const string Whole = """
        unqualified-search-registries = ["example.com", 'registry.example:5000']
        credential-helpers = [ "containers-auth.json", "pass" ] # both
        short-name-mode = "permissive"

        [[registry]]
        prefix = "example.com/foo"
        insecure = false
        blocked = false
        location = "internal-registry-for-example.com/bar"

        [[registry.mirror]]
        location = "example-mirror-0.local/mirror-for-foo"

        [[registry.mirror]]
        location = "example-mirror-1.local/mirrors/foo"
        insecure = true
        pull-from-mirror = "digest-only"

        [[registry]]
        location = "registry.com"
        mirror-by-digest-only = true

        [[registry.mirror]]
        location = "mirror.registry.com"

        [[registry]]
        prefix = "*.blocked.example"
        blocked = true

        [aliases]
        "fedora" = "registry.fedoraproject.org/fedora"
        "some/app" = "quay.io/other/app"
        """;

    static readonly string SomeDigest = "sha256:" + new string('a', 64);

    readonly LayerScratch scratch = new();

    public void Dispose() => scratch.Dispose();

    static RegistriesConfiguration Parse(string toml, RegistriesConfiguration? under = null) =>
        (under ?? RegistriesConfiguration.Empty).With(RegistriesFile.Parse(toml, "r.conf"), "r.conf");

    static string[] Sources(RegistriesConfiguration configuration, string name) =>
        [.. configuration.PullSources(ImageReference.Parse(name)).Select(source => source.Reference.Name + (source.Insecure ? " insecure" : ""))];

    static string[] Candidates(RegistriesConfiguration configuration, string name) => [.. configuration.Candidates(name).Select(candidate => candidate.Name)];

    static string Refusal(string toml)
    {
        var message = Assert.Throws<SpecException>(() => Parse(toml)).Message;
        Assert.StartsWith("r.conf: ", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        return message;
    }

    string Write(string name, string toml)
    {
        string path = $"{scratch.Path}/{name}";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, toml);
        return path;
    }

    RegistriesConfiguration Load(string? chosen = null) => RegistriesConfiguration.Load(chosen, scratch.Path + "/etc", scratch.Path + "/home", scratch.Path + "/cache");

    [Fact]
    public void The_example_of_the_manual_is_tried_in_the_order_that_the_manual_says() => Assert.Equal(
        ["example-mirror-0.local/mirror-for-foo/image:latest", "internal-registry-for-example.com/bar/image:latest"],
        Sources(Parse(Whole), "example.com/foo/image:latest"));

    [Fact]
    public void A_pull_by_digest_may_have_more_mirrors_than_one_by_tag()
    {
        var configuration = Parse(Whole);
        Assert.Equal(
            [
                $"example-mirror-0.local/mirror-for-foo/image@{SomeDigest}", $"example-mirror-1.local/mirrors/foo/image@{SomeDigest} insecure",
                $"internal-registry-for-example.com/bar/image@{SomeDigest}",
            ],
            Sources(configuration, $"example.com/foo/image@{SomeDigest}"));
        Assert.Equal(["registry.com/image:1"], Sources(configuration, "registry.com/image:1"));
        Assert.Equal([$"mirror.registry.com/image@{SomeDigest}", $"registry.com/image@{SomeDigest}"], Sources(configuration, $"registry.com/image@{SomeDigest}"));
        var byTag = Parse("[[registry]]\nlocation='a.example'\n[[registry.mirror]]\nlocation='b.example'\npull-from-mirror='tag-only'");
        Assert.Equal(["b.example/x:1", "a.example/x:1"], Sources(byTag, "a.example/x:1"));
        Assert.Equal([$"a.example/x@{SomeDigest}"], Sources(byTag, $"a.example/x@{SomeDigest}"));
    }

    [Theory]
    [InlineData("example.com", "example.com/foo:1", true)]
    [InlineData("example.com", "example.com:5000/foo:1", true)] // as containers/image: the separator may be that of a port
    [InlineData("example.com", "example.com.evil/foo:1", false)]
    [InlineData("example.com", "www.example.com/foo:1", false)]
    [InlineData("example.com/foo", "example.com/foo:1", true)]
    [InlineData("example.com/foo", "example.com/foo/bar:1", true)]
    [InlineData("example.com/foo", "example.com/foobar:1", false)]
    [InlineData("example.com/foo:1", "example.com/foo:1", true)]
    [InlineData("example.com/foo:1", "example.com/foo:12", false)]
    [InlineData("*.example.com", "a.example.com/foo:1", true)]
    [InlineData("*.example.com", "a.b.example.com:5000/foo:1", true)]
    [InlineData("*.example.com", "a.example.com.b.example.com/foo:1", true)]
    [InlineData("*.example.com", "example.com/foo:1", false)]
    [InlineData("*.example.com", "notexample.com/foo:1", false)]
    [InlineData("*.example.com", "evil.com/a.example.com/foo:1", false)]
    [InlineData("*.example.com", "a.example.com.evil/foo:1", false)]
    public void A_prefix_covers_whole_words(string prefix, string name, bool covered) =>
        Assert.Equal(covered, new RegistryRule(prefix, null, false, false).Match(ImageReference.Parse(name).Name) > 0);

    [Fact]
    public void The_longest_prefix_counts()
    {
        var configuration = Parse("""
            [[registry]]
            prefix = "a.example"
            location = "one.example"
            [[registry]]
            prefix = "a.example/b/c"
            location = "three.example"
            [[registry]]
            prefix = "a.example/b"
            location = "two.example"
            """);
        Assert.Equal(["one.example/x:1"], Sources(configuration, "a.example/x:1"));
        Assert.Equal(["two.example/x:1"], Sources(configuration, "a.example/b/x:1"));
        Assert.Equal(["three.example/x:1"], Sources(configuration, "a.example/b/c/x:1"));
    }

    [Fact]
    public void Names_under_a_wildcard_stay_unless_a_location_is_given()
    {
        Assert.Equal(["a.example.com/x:1 insecure"], Sources(Parse("[[registry]]\nprefix='*.example.com'\ninsecure=true"), "a.example.com/x:1"));
        Assert.Equal(["b.example/y/x:1"], Sources(Parse("[[registry]]\nprefix='*.example.com'\nlocation='b.example/y'"), "a.example.com/x:1"));
    }

    [Fact]
    public void A_blocked_registry_is_named_with_the_file_that_blocks_it() => Assert.Equal(
        "a.blocked.example/x:1 is blocked: r.conf says so of *.blocked.example",
        Assert.Throws<ImageException>(() => Sources(Parse(Whole), "a.blocked.example/x:1")).Message);

    [Fact]
    public void A_place_that_is_no_name_is_said_to_come_from_the_file() => Assert.StartsWith(
        "r.conf sends a.example:5000/x:1 to what is no place: ",
        Assert.Throws<ImageException>(() => Sources(Parse("[[registry]]\nprefix='a.example'\nlocation='b.example/C'"), "a.example:5000/x:1")).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("fedora", "registry.fedoraproject.org/fedora:latest")]
    [InlineData("docker://fedora:39", "registry.fedoraproject.org/fedora:39")]
    [InlineData("docker:some/app@{0}", "quay.io/other/app@{0}")]
    [InlineData("docker://redis:7", "example.com/redis:7 registry.example:5000/redis:7")]
    [InlineData("docker://localhost/redis", "localhost/redis:latest")]
    [InlineData("docker://quay.io/fedora", "quay.io/fedora:latest")]
    [InlineData("docker://docker.io/fedora", "docker.io/library/fedora:latest")]
    public void Names_without_a_host_go_by_aliases_and_then_by_the_search_registries(string name, string expected) =>
        Assert.Equal(string.Format(null, expected, SomeDigest).Split(' '), Candidates(Parse(Whole), string.Format(null, name, SomeDigest)));

    [Fact]
    public void Without_a_configuration_they_are_the_hubs()
    {
        Assert.Equal(["docker.io/library/redis:latest"], Candidates(RegistriesConfiguration.Empty, "docker://redis"));
        Assert.Equal(["docker.io/some/app:1"], Candidates(RegistriesConfiguration.Empty, "some/app:1"));
    }

    [Fact]
    public void Where_guessing_is_forbidden_the_choice_is_shown()
    {
        var strict = Parse("short-name-mode = 'enforcing'", Parse(Whole));
        Assert.Equal(
            "'redis:7' may come from example.com, registry.example:5000, and short-name-mode=enforcing: write which, as in docker://example.com/redis:7",
            Assert.Throws<ImageException>(() => strict.Candidates("docker://redis:7")).Message);
        Assert.Equal(["registry.fedoraproject.org/fedora:latest"], Candidates(strict, "fedora"));
        Assert.Equal(["only.example/redis:latest"], Candidates(Parse("unqualified-search-registries = ['only.example']", strict), "redis"));
    }

    [Fact]
    public void A_further_file_overrides_what_it_mentions_and_nothing_else()
    {
        var configuration = Parse("""
            unqualified-search-registries = ["later.example"]
            [[registry]]
            prefix = "example.com/foo"
            location = "later.example/foo"
            [aliases]
            fedora = ""
            redis = "quay.io/x/redis"
            """, Parse(Whole));
        Assert.Equal(["later.example/foo/image:latest"], Sources(configuration, "example.com/foo/image"));
        Assert.Equal(["registry.com/image:1"], Sources(configuration, "registry.com/image:1"));
        Assert.Equal(["later.example/fedora:latest"], Candidates(configuration, "fedora"));
        Assert.Equal(["quay.io/x/redis:latest"], Candidates(configuration, "redis"));
        Assert.Equal(["quay.io/other/app:latest"], Candidates(configuration, "some/app"));
        Assert.Equal(["containers-auth.json", "pass"], configuration.CredentialHelpers);
    }

    [Fact]
    public void Files_are_read_in_the_order_of_containers_image()
    {
        static string Search(string host) => $"unqualified-search-registries = ['{host}']";
        string Found(string? chosen = null) => Candidates(Load(chosen), "x")[0];
        Assert.Equal("docker.io/library/x:latest", Found());
        Write("etc/registries.conf", Search("etc.example"));
        Assert.Equal("etc.example/x:latest", Found());
        Write("etc/registries.conf.d/50.conf", Search("fifty.example"));
        Write("etc/registries.conf.d/10.conf", Search("ten.example"));
        Write("etc/registries.conf.d/99.disabled", "not TOML [");
        Assert.Equal("fifty.example/x:latest", Found());
        Write("home/registries.conf.d/00.conf", Search("own.example"));
        Assert.Equal("own.example/x:latest", Found());
        Write("home/registries.conf.d/00.conf", "");
        Write("home/registries.conf", Search("home.example"));
        Assert.Equal("home.example/x:latest", Found());
        Assert.Equal("fifty.example/x:latest", Found(Write("chosen.conf", Search("chosen.example"))));
        Write("cache/short-name-aliases.conf", "[aliases]\nx = 'quay.io/noted/x'");
        Assert.Equal("quay.io/noted/x:latest", Found());
    }

    [Fact]
    public void The_file_that_the_environment_names_must_be_there() =>
        Assert.Contains("/nowhere.conf", Assert.Throws<Linux.KernelException>(() => Load(scratch.Path + "/nowhere.conf")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a = ", "(line 1, ")]
    [InlineData("\n\n[[registry]\n", "(line 3, ")]
    [InlineData("unqualified-search-registries = 'example.com'", "(line 1, ")]
    [InlineData("[[registry]]\nlocation = 'a.example'\ninsecure = 'yes'", "(line 3, ")]
    [InlineData("[registry]\nlocation = 'a.example'", "is not TOML of the expected shape")]
    [InlineData("short-name-mode = 'disabled'\nshort-name-mode = 'permissive'", "(line 2, ")]
    [InlineData("[[registry]]\nlocation = 'a.example'\nlocation = 'b.example'", "(line 3, ")]
    [InlineData("[aliases]\nx = 'a.example/x'\nx = 'b.example/x'", "(line 3, ")]
    [InlineData("[registries.search]\nregistries = ['a.example']", "registries: is of version 1 of the format")]
    [InlineData("[[registry]]\ninsecure = true", "registry[0]: has neither prefix nor location")]
    [InlineData("[[registry]]\nlocation = 'a.example'\n[[registry]]\nprefix = 'b.example'", "registry[1].location: is missing for 'b.example'")]
    [InlineData("[[registry]]\nlocation = 'http://a.example'", "registry[0].location: 'http://a.example': no scheme")]
    [InlineData("[[registry]]\nlocation = 'mirror/foo'", "registry[0].location: 'mirror/foo' does not begin with a registry's host")]
    [InlineData("[[registry]]\nprefix = 'a.*.example'\nlocation = 'b.example'", "registry[0].prefix: 'a.*.example': a * may only")]
    [InlineData("[[registry]]\nlocation = 'a.example'\n[[registry]]\nlocation = 'a.example/'", "registry: there are two with the prefix 'a.example'")]
    [InlineData("[[registry]]\nlocation = 'a.example'\n[[registry.mirror]]\ninsecure = true", "registry[0].mirror[0].location: is missing")]
    [InlineData("[[registry]]\nlocation = 'a.example'\n[[registry.mirror]]\nlocation = 'b.example'\npull-from-mirror = 'never'", "registry[0].mirror[0].pull-from-mirror: 'never' is not")]
    [InlineData("[[registry]]\nlocation = 'a.example'\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = 'b.example'\npull-from-mirror = 'all'", "registry[0].mirror[0].pull-from-mirror: cannot be said beside")]
    [InlineData("unqualified-search-registries = ['http://a.example']", "unqualified-search-registries: 'http://a.example' is not a registry's host")]
    [InlineData("unqualified-search-registries = ['hub']", "unqualified-search-registries: 'hub' is not a registry's host")]
    [InlineData("short-name-mode = 'strict'", "short-name-mode: 'strict' is not enforcing, permissive or disabled")]
    [InlineData("[aliases]\nx = 'y'", "aliases.x: 'y' is not a host and a repository")]
    [InlineData("[aliases]\n'x:1' = 'a.example/y'", "aliases.x:1: is not a name without host, tag and digest")]
    [InlineData("[aliases]\n'a.example/x' = 'a.example/y'", "aliases.a.example/x: is not a name without host, tag and digest")]
    public void What_is_wrong_is_said_with_its_place(string toml, string said) => Assert.Contains(said, Refusal(toml), StringComparison.Ordinal);

    [Fact]
    public void What_other_tools_may_add_is_passed_over() =>
        Assert.Equal(["b.example/x:1", "a.example/x:1"], Sources(Parse("additional = {a = [1, 2.5, 1979-05-27]}\n[[registry]]\nlocation = 'a.example'\nnew = true\n[[registry.mirror]]\nlocation = 'b.example'\n[other.table]\nx = 1"), "a.example/x:1"));

    [Theory]
    [InlineData("[")]
    [InlineData("{a=")]
    public void Nesting_without_end_is_refused(string opening) => Refusal("x = " + string.Concat(Enumerable.Repeat(opening, 100_000)));

    [Fact]
    public void A_file_that_is_too_long_is_not_read() => Assert.Contains("is longer than", Refusal(new string('#', (1 << 20) + 1)), StringComparison.Ordinal);

    [Fact]
    public void Any_file_is_read_or_refused_in_one_line() =>
        Gen.Select(Gen.Int[0, Whole.Length - 1], Gen.OneOf(Gen.Char["[]{}\"'=.#*:/@\\\n\t\r\0 u0"], Gen.Char), Gen.Int[0, 3]).List[1, 5].Sample(
            changes =>
            {
                var text = new StringBuilder(Whole);
                foreach (var (place, letter, kind) in changes)
                {
                    int at = place % text.Length;
                    switch (kind)
                    {
                        case 0: text.Remove(at, 1); break;
                        case 1: text.Insert(at, letter); break;
                        case 2: text.Insert(at, text.ToString(at, Math.Min(40, text.Length - at))); break;
                        default: text[at] = letter; break;
                    }
                }

                try
                {
                    var configuration = Parse(text.ToString());
                    foreach (var name in new[] { "example.com/foo/image:1", $"registry.com/x@{SomeDigest}", "a.blocked.example/x" })
                    {
                        configuration.PullSources(ImageReference.Parse(name));
                        configuration.Candidates("fedora");
                    }

                    return true;
                }
                catch (SpecException refusal)
                {
                    return refusal.Message.StartsWith("r.conf: ", StringComparison.Ordinal) && !refusal.Message.AsSpan().ContainsAny('\r', '\n');
                }
                catch (ImageException refusal)
                {
                    return !refusal.Message.AsSpan().ContainsAny('\r', '\n');
                }
            },
            iter: 5000);

    [Fact]
    public void What_the_distribution_ships_is_read_quickly()
    {
        const string Shipped = "/etc/containers/registries.conf.d/shortnames.conf";
        Assert.SkipUnless(File.Exists(Shipped), "the short names of containers-common are not installed");
        var configuration = Parse(File.ReadAllText(Shipped));
        Assert.Equal(["docker.io/library/alpine:3"], Candidates(configuration, "alpine:3"));
        Assert.Equal(["quay.io/podman/stable:latest"], Candidates(configuration, "podman"));
    }
}
