using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.CommandLine.Tests;

/// <summary>rkt's directories of configuration, and which of them counts.</summary>
public sealed class ConfigurationTests : IDisposable
{
    readonly string path = Directory.CreateTempSubdirectory("nacelle-config-").FullName;

    string System => path + "/system";

    string Local => path + "/local";

    string User => path + "/user";

    public void Dispose() => Directories.RemoveTree(FileDescriptor.WorkingDirectory, path);

    static void Write(string directory, string file, string json)
    {
        Directory.CreateDirectory(Path.GetDirectoryName($"{directory}/{file}")!);
        File.WriteAllText($"{directory}/{file}", json);
    }

    static string Basic(string user, params string[] domains) =>
        $$$"""{"rktKind":"auth","rktVersion":"v1","domains":["{{{string.Join("\",\"", domains)}}}"],"type":"basic","credentials":{"user":"{{{user}}}","password":"p"}}""";

    static string Paths(string members) => $$$"""{"rktKind":"paths","rktVersion":"v1",{{{members}}}}""";

    Configuration Read(params string[] wanted) => Configuration.Read([System, Local, User], wanted);

    string Refusal() => Assert.Throws<SpecException>(() => Read()).Message;

    Invocation Invoke(params string[] flags)
    {
        var command = new Command("c", "", "", [], _ => 0);
        return ((Request.Do)Grammar.Parse([command], GlobalFlags.All, [$"--system-config={System}", $"--local-config={Local}", $"--user-config={User}", .. flags, "c"])).Invocation;
    }

    [Fact]
    public void Directories_that_do_not_exist_say_nothing()
    {
        var nothing = Read();
        Assert.Empty(nothing.Hosts);
        Assert.Empty(nothing.Registries);
        Assert.Null(nothing.Paths.Data);
        Assert.Equal("""{"stage0":[]}""", Encoding.UTF8.GetString(nothing.ToJson(indented: false)));
    }

    [Fact]
    public void Hosts_are_overridden_one_by_one()
    {
        Write(System, "auth.d/a.json", Basic("system", "a.example", "b.example", "c.example"));
        Write(Local, "auth.d/b.json", Basic("local", "b.example", "C.example"));
        Write(User, "auth.d/c.json", Basic("user", "c.example"));
        var hosts = Read().Hosts;
        Assert.Equal(
            [("a.example", "system"), ("b.example", "local"), ("c.example", "user")],
            hosts.Select(pair => (pair.Key, ((HostCredential.Basic)pair.Value).User)).Order());
    }

    [Fact]
    public void The_same_host_twice_in_one_directory_is_an_error_that_names_the_second_file()
    {
        Write(System, "auth.d/a.json", Basic("x", "h.example"));
        Write(Local, "auth.d/a.json", Basic("x", "h.example"));
        Write(Local, "auth.d/b.json", Basic("y", "h.example"));
        Assert.Equal($"{Local}/auth.d/b.json: has a credential for 'h.example', for which there is one already in this directory", Refusal());
    }

    [Fact]
    public void A_path_may_be_said_once_in_each_directory()
    {
        Write(System, "paths.d/a.json", Paths(""" "data":"/system","stage1-images":"/images" """));
        Write(Local, "paths.d/a.json", Paths(""" "data":"/local" """));
        Assert.Equal(new ConfigFile.Paths("/local", "/images"), Read().Paths);
        Write(Local, "paths.d/b.json", Paths(""" "stage1-images":"/other" """));
        Assert.Equal(new ConfigFile.Paths("/local", "/other"), Read().Paths);
        Write(Local, "paths.d/c.json", Paths(""" "data":"/again" """));
        Assert.Equal($"{Local}/paths.d/c.json: data: has been said already in this directory", Refusal());
    }

    [Fact]
    public void Name_and_version_of_stage1_are_overridden_together_and_its_location_alone()
    {
        Write(System, "stage1.d/a.json", """{"rktKind":"stage1","rktVersion":"v1","name":"example.com/s","version":"1","location":"/s.aci"}""");
        Write(Local, "stage1.d/a.json", """{"rktKind":"stage1","rktVersion":"v1","name":"example.com/t","version":"2"}""");
        Assert.Equal(new ConfigFile.Stage1("example.com/t", "2", "/s.aci"), Read().Stage1);
        Write(User, "stage1.d/a.json", """{"rktKind":"stage1","rktVersion":"v1","location":"https://example.com/t.aci"}""");
        Assert.Equal(new ConfigFile.Stage1("example.com/t", "2", "https://example.com/t.aci"), Read().Stage1);
    }

    [Fact]
    public void Only_regular_files_that_end_in_json_are_read()
    {
        Write(Local, "auth.d/readme.txt", "no JSON");
        Write(Local, "auth.d/deeper/a.json", "no JSON");
        Write(Local, "auth.d/directory.json/a", "no JSON");
        Write(Local, "elsewhere", "no JSON");
        File.CreateSymbolicLink($"{Local}/auth.d/link.json", $"{Local}/elsewhere");
        Assert.Empty(Read().Hosts);
    }

    [Fact]
    public void A_kind_in_another_kinds_directory_is_an_error()
    {
        Write(Local, "paths.d/a.json", Basic("x", "h.example"));
        Assert.Equal($"{Local}/paths.d/a.json: rktKind: 'auth' does not belong into this directory; here it is paths", Refusal());
    }

    [Fact]
    public void What_is_not_wanted_is_not_even_read()
    {
        Write(Local, "auth.d/a.json", "no JSON");
        Write(Local, "paths.d/a.json", Paths(""" "data":"/local" """));
        Assert.Equal("/local", Read("paths.d").Paths.Data);
        Assert.StartsWith($"{Local}/auth.d/a.json: is not JSON", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_printed_has_rkts_shape_with_one_entry_per_host()
    {
        Write(System, "auth.d/a.json", Basic("system", "b.example", "a.example"));
        Write(Local, "auth.d/a.json", Basic("local", "a.example"));
        Write(Local, "auth.d/aws.json", """{"rktKind":"auth","rktVersion":"v1","domains":["s3.example"],"type":"aws","credentials":{"accessKeyID":"i","secretAccessKey":"s"}}""");
        Write(Local, "auth.d/docker.json", """{"rktKind":"dockerAuth","rktVersion":"v1","registries":["quay.io"],"credentials":{"user":"u","password":"p"}}""");
        Write(Local, "paths.d/a.json", Paths(""" "data":"/local" """));
        Write(Local, "stage1.d/a.json", """{"rktKind":"stage1","rktVersion":"v1","location":"/s.aci"}""");
        Assert.Equal(
            """
            {"stage0":[
            {"rktVersion":"v1","rktKind":"auth","domains":["a.example"],"type":"basic","credentials":{"user":"local","password":"p"}},
            {"rktVersion":"v1","rktKind":"auth","domains":["b.example"],"type":"basic","credentials":{"user":"system","password":"p"}},
            {"rktVersion":"v1","rktKind":"auth","domains":["s3.example"],"type":"aws","credentials":{"accessKeyID":"i","secretAccessKey":"s"}},
            {"rktVersion":"v1","rktKind":"dockerAuth","registries":["quay.io"],"credentials":{"user":"u","password":"p"}},
            {"rktVersion":"v1","rktKind":"paths","data":"/local"},
            {"rktVersion":"v1","rktKind":"stage1","location":"/s.aci"}]}
            """.Replace("\n", "", StringComparison.Ordinal),
            Encoding.UTF8.GetString(Read().ToJson(indented: false)));
    }

    [Fact]
    public void What_is_printed_can_be_read_again()
    {
        Write(System, "auth.d/a.json", Basic("system", "b.example", "a.example"));
        var first = Read();
        var entry = global::System.Text.Json.JsonDocument.Parse(first.ToJson(indented: true)).RootElement.GetProperty("stage0")[0].GetRawText();
        var again = Assert.IsType<ConfigFile.Auth>(ConfigFile.Parse(Encoding.UTF8.GetBytes(entry), "x", "auth"));
        Assert.Equal(("a.example", first.Hosts["a.example"]), (Assert.Single(again.Domains), again.Credential));
    }

    [Fact]
    public void The_data_directory_is_the_flags_else_the_strongest_configurations_else_the_usual()
    {
        Assert.Equal(GlobalFlags.UsualDataDirectory, GlobalFlags.DataDirectory(Invoke()));
        Write(System, "paths.d/a.json", Paths($""" "data":"{path}/from-system" """));
        Assert.Equal($"{path}/from-system", GlobalFlags.DataDirectory(Invoke()));
        Write(User, "paths.d/a.json", Paths($""" "data":"{path}/from-user" """));
        Assert.Equal($"{path}/from-user", GlobalFlags.DataDirectory(Invoke()));
        Assert.Equal($"{path}/flag", GlobalFlags.DataDirectory(Invoke($"--dir={path}/flag")));
    }

    [Fact]
    public void A_flag_for_the_data_directory_makes_the_configuration_unimportant()
    {
        Write(Local, "paths.d/a.json", "no JSON");
        Assert.Equal($"{path}/flag", GlobalFlags.DataDirectory(Invoke($"--dir={path}/flag")));
        Assert.Throws<SpecException>(() => GlobalFlags.DataDirectory(Invoke()));
    }
}
