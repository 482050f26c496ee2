namespace Nacelle.EndToEnd.Tests;

/// <summary>The directories of configuration, seen from the command line.</summary>
public sealed class ConfigurationTests : IDisposable
{
    readonly string path = Directory.CreateTempSubdirectory("nacelle-config-").FullName;

    public void Dispose() => Directory.Delete(path, recursive: true);

    void Write(string file, string json)
    {
        Directory.CreateDirectory(Path.GetDirectoryName($"{path}/{file}")!);
        File.WriteAllText($"{path}/{file}", json);
    }

    Result Nacelle(params string[] arguments) =>
        Machine.Run(Machine.Program, [$"--system-config={path}/system", $"--local-config={path}/local", $"--user-config={path}/user", .. arguments]);

    [Fact]
    public void Config_prints_what_the_directories_say_together()
    {
        Write("system/auth.d/a.json", """{"rktKind":"auth","rktVersion":"v1","domains":["a.example","b.example"],"type":"oauth","credentials":{"token":"system"}}""");
        Write("user/auth.d/a.json", """{"rktKind":"auth","rktVersion":"v1","domains":["a.example"],"type":"oauth","credentials":{"token":"user"}}""");
        Write("local/paths.d/a.json", """{"rktKind":"paths","rktVersion":"v1","data":"/srv/pods"}""");
        var result = Nacelle("config", "--pretty-print=false");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(
            """
            {"stage0":[
            {"rktVersion":"v1","rktKind":"auth","domains":["a.example"],"type":"oauth","credentials":{"token":"user"}},
            {"rktVersion":"v1","rktKind":"auth","domains":["b.example"],"type":"oauth","credentials":{"token":"system"}},
            {"rktVersion":"v1","rktKind":"paths","data":"/srv/pods"}]}
            """.ReplaceLineEndings(""),
            result.Output.TrimEnd());
        Assert.Equal(result.Output, Nacelle("config").Output.ReplaceLineEndings("").Replace("\t", "", StringComparison.Ordinal).Replace("\": ", "\":", StringComparison.Ordinal) + "\n");
    }

    [Fact]
    public void The_data_directory_may_be_configured()
    {
        Write("local/paths.d/a.json", $$"""{"rktKind":"paths","rktVersion":"v1","data":"{{path}}/data"}""");
        var result = Nacelle("image", "list");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.True(Directory.Exists($"{path}/data/images"), result.ToString());
    }

    [Fact]
    public void A_broken_file_is_named_in_one_line()
    {
        Write("local/paths.d/a.json", """{"rktKind":"paths","rktVersion":"v1","data":"data"}""");
        var result = Nacelle("image", "list");
        Assert.Equal(254, result.ExitCode);
        Assert.Equal($"nacelle: {path}/local/paths.d/a.json: data: 'data' is not an absolute path\n", result.Errors);
    }
}
