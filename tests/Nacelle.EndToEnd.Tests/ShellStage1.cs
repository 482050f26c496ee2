namespace Nacelle.EndToEnd.Tests;

/// <summary>Somebody else's stage1: the shell scripts in <c>stage1-shell/</c>, packed as an ACI, with whatever a test changes about it.</summary>
sealed class ShellStage1(Machine machine)
{
    static readonly string Sources = FindSources();

    readonly Dictionary<string, string> annotations = new(StringComparer.Ordinal)
    {
        ["coreos.com/rkt/stage1/run"] = "/run", ["coreos.com/rkt/stage1/enter"] = "/enter", ["coreos.com/rkt/stage1/gc"] = "/gc",
        ["coreos.com/rkt/stage1/stop"] = "/stop", ["coreos.com/rkt/stage1/app/start"] = "/app/start", ["coreos.com/rkt/stage1/interface-version"] = "6",
    };

    readonly Dictionary<string, string> scripts = new(StringComparer.Ordinal);

    public string Name { get; init; } = "example.com/stage1-shell";

    /// <summary>Null takes the annotation away.</summary>
    public ShellStage1 With(string annotation, string? value)
    {
        annotations.Remove("coreos.com/rkt/stage1/" + annotation);
        if (value is not null)
        {
            annotations.Add("coreos.com/rkt/stage1/" + annotation, value);
        }

        return this;
    }

    /// <summary>Takes the place of an entry point's script.</summary>
    public ShellStage1 WithScript(string name, string text)
    {
        scripts[name] = "#!/bin/bash\n" + text;
        return this;
    }

    /// <returns>The path of the image file.</returns>
    public string Pack(string? directory = null)
    {
        var image = $"{machine.Path}/{Guid.NewGuid():N}";
        Machine.Script(machine.Path, $"mkdir {image}; cp -a '{Sources}' {image}/rootfs");
        foreach (var (name, text) in scripts)
        {
            File.WriteAllText($"{image}/rootfs/{name}", text);
            File.SetUnixFileMode($"{image}/rootfs/{name}", (UnixFileMode)0x1ED);
        }

        File.WriteAllText($"{image}/manifest", $$"""
            {"acKind":"ImageManifest","acVersion":"0.8.11","name":"{{Name}}","labels":[{"name":"version","value":"1.0"},{"name":"os","value":"linux"}],
             "annotations":[{{string.Join(',', annotations.Select(pair => $$"""{"name":"{{pair.Key}}","value":"{{pair.Value}}"}"""))}}]}
            """);
        var file = $"{directory ?? machine.Path}/{Name[(Name.LastIndexOf('/') + 1)..]}.aci";
        Machine.Script(image, $"tar --owner=0 --group=0 -cf '{file}' manifest rootfs");
        return file;
    }

    /// <summary>The flags that have a pod run by it, unsigned as it is.</summary>
    public string[] Flags => ["--insecure-options=image", $"--stage1-path={Pack()}"];

    static string FindSources()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (Directory.Exists($"{directory}/tests/Nacelle.EndToEnd.Tests/stage1-shell"))
            {
                return $"{directory}/tests/Nacelle.EndToEnd.Tests/stage1-shell";
            }
        }

        throw new InvalidOperationException("the tests run outside of the repository");
    }
}
