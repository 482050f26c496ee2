using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>What is refused gets one line that says where and why, exit code 1, and changes nothing.</summary>
public sealed class BadInputTests
{
    // config.md, "Specification version": the version is there, and as Semantic Versioning writes it.
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1.0")]
    [InlineData("v1.0.0")]
    [InlineData("1.0.0.0")]
    [InlineData("01.0.0")]
    [InlineData("1.0.0-")]
    [InlineData("1.0.0-01")]
    [InlineData("latest")]
    [InlineData("2.0.0")]
    public void A_version_that_is_none_is_refused(string? version)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Config.Remove("ociVersion");
        if (version is not null)
        {
            bundle.Config["ociVersion"] = version;
        }

        machine.Refuses(bundle, "config.json", "ociVersion");
    }

    // config.md, "Valid values": what has the wrong type, or is not valid, is an error that says where.
    [Theory]
    [InlineData("process", "1", "process")]
    [InlineData("process.args", "\"sh\"", "process.args")]
    [InlineData("process.args", "[1]", "process.args[0]")]
    [InlineData("process.terminal", "\"yes\"", "process.terminal")]
    [InlineData("process.user.uid", "-1", "process.user.uid")]
    [InlineData("process.user.uid", "4294967296", "process.user.uid")]
    [InlineData("process.user.uid", "1.5", "process.user.uid")]
    [InlineData("process.user.gid", "\"0\"", "process.user.gid")]
    [InlineData("process.user.umask", "-1", "process.user.umask")]
    [InlineData("process.env", "[\"NONAME\"]", "process.env[0]")]
    [InlineData("process.noNewPrivileges", "1", "process.noNewPrivileges")]
    [InlineData("process.capabilities", "[]", "process.capabilities")]
    [InlineData("root", "[]", "root")]
    [InlineData("root.readonly", "\"true\"", "root.readonly")]
    [InlineData("hostname", "1", "hostname")]
    [InlineData("mounts", "{}", "mounts")]
    [InlineData("mounts", "[{\"type\":\"tmpfs\"}]", "mounts[0].destination")]
    [InlineData("mounts", "[{\"destination\":\"\"}]", "mounts[0].destination")]
    [InlineData("mounts", "[{\"destination\":\"/data\"}]", "mounts[0].type")]
    [InlineData("mounts", "[{\"destination\":\"/data\",\"options\":[\"bind\"]}]", "mounts[0].source")]
    [InlineData("hooks", "[]", "hooks")]
    [InlineData("hooks", "{\"prestart\":[{}]}", "hooks.prestart[0].path")]
    [InlineData("linux", "[]", "linux")]
    [InlineData("linux.namespaces", "{}", "linux.namespaces")]
    [InlineData("linux.namespaces", "[{}]", "linux.namespaces[0].type")]
    [InlineData("linux.resources.memory", "{\"limit\":\"1G\"}", "linux.resources.memory.limit")]
    [InlineData("linux.cgroupsPath", "1", "linux.cgroupsPath")]
    public void A_value_of_the_wrong_kind_is_refused_by_its_path(string member, string value, string path)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        var names = member.Split('.');
        JsonNode node = bundle.Config;
        foreach (var name in names[..^1])
        {
            node = node[name]!;
        }

        node[names[^1]] = JsonNode.Parse(value);
        machine.Refuses(bundle, "config.json", path);
    }

    // config.md: config.json is a JSON document, in UTF-8.
    [Theory]
    [InlineData("")]
    [InlineData("no json")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"ociVersion\":\"1.0.0\",}")]
    [InlineData("{'ociVersion':'1.0.0'}")]
    public void A_configuration_that_is_no_json_is_refused(string text)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        File.WriteAllText($"{bundle.Path}/config.json", text);
        var id = OciMachine.NewId();
        var result = machine.Background(OciMachine.Program, $"--root={machine.Root}", "create", $"--bundle={bundle.Path}", id);
        Assert.True(result.ExitCode == 1, result.ToString());
        Expectations.Fails(result, "config.json");
        machine.HasNothingOf(id);
    }

    // runtime.md, "Create": a bundle without a config.json makes no container.
    [Fact]
    public void A_bundle_without_a_configuration_is_refused()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        var id = OciMachine.NewId();
        Expectations.Fails(machine.Background(OciMachine.Program, $"--root={machine.Root}", "create", $"--bundle={bundle.Path}", id), "config.json");
        machine.HasNothingOf(id);
    }

    // runtime.md, "Errors": a command line that cannot be is refused, with exit code 1.
    [Theory]
    [InlineData("frobnicate", "frobnicate")]
    [InlineData("create --nosuch x", "--nosuch")]
    [InlineData("--nosuch list", "--nosuch")]
    [InlineData("state a b", "b")]
    [InlineData("start a b", "b")]
    [InlineData("delete a b", "b")]
    [InlineData("create --bundle", "--bundle")]
    [InlineData("state ../x", "../x")]
    [InlineData("state a/b", "a/b")]
    [InlineData("delete --force ..", "..")]
    [InlineData("--log-format=xml list", "xml")]
    public void A_command_line_that_cannot_be_is_refused(string line, string word)
    {
        using var machine = new OciMachine();
        var result = machine.Oci(line.Split(' '));
        Assert.True(result.ExitCode == 1, result.ToString());
        Expectations.Fails(result, word);
        Assert.False(Directory.Exists(machine.Root));
    }

    // runtime.md, "Errors": an engine finds the error in the file that it names, in the format that it names.
    [Fact]
    public void The_log_has_the_error_as_json()
    {
        using var machine = new OciMachine();
        var log = $"{machine.Path}/log";
        var result = machine.Oci($"--log={log}", "--log-format=json", "state", "nobody");
        Assert.Equal(1, result.ExitCode);
        var line = JsonNode.Parse(Assert.Single(File.ReadAllLines(log)))!;
        Assert.Equal("error", (string?)line["level"]);
        Assert.Equal(result.Errors.TrimEnd('\n'), $"nacelle-oci: {(string?)line["msg"]}");
        Assert.True(DateTimeOffset.TryParse((string?)line["time"], out _), line.ToJsonString());
    }

    // runtime.md, "Errors": the same in the text format, which is the default; what is there already is kept.
    [Fact]
    public void The_log_has_the_error_as_text_behind_what_was_there()
    {
        using var machine = new OciMachine();
        var log = $"{machine.Path}/log";
        File.WriteAllText(log, "before\n");
        machine.Oci($"--log={log}", "state", "nobody");
        var lines = File.ReadAllLines(log);
        Assert.Equal(2, lines.Length);
        Assert.Equal("before", lines[0]);
        Assert.Matches("^time=\"[^\"]+\" level=error msg=\".*nobody.*\"$", lines[1]);
    }
}
