using System.Text.Json.Nodes;

namespace Nacelle.Build.Tests;

/// <summary>Twenty Containerfiles, built by Debian's buildah and by us; root file systems and configurations are compared entry by entry.</summary>
/// <remarks>Both images are unpacked by umoci. What buildah is known to do otherwise is said where it is left out.</remarks>
public sealed class CorpusTests : IDisposable
{
    static readonly string Corpus = Path.Combine(BuildMachine.Repository, "tests/Nacelle.Build.Tests/corpus");

    readonly BuildMachine machine = new();

    public static TheoryData<string> Names => [.. Directory.GetDirectories(Corpus).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Builds_as_buildah_builds_it(string name)
    {
        foreach (var program in (string[])["buildah", "skopeo", "umoci"])
        {
            Assert.SkipUnless(File.Exists($"/usr/bin/{program}"), $"{program} is not installed");
        }

        var context = machine.Path + "/context";
        BuildMachine.Shell(machine.Path, $"cp -a '{Corpus}/{name}' context; cd context; chmod -R go-w .; [ ! -e setup.sh ] || sh -e setup.sh; rm -f setup.sh; find . -exec touch -h -d '2003-03-03 UTC' {{}} +");
        var flags = File.Exists(context + "/flags") ? File.ReadAllText(context + "/flags").Trim().Split('\n') : [];
        File.Delete(context + "/flags");
        var started = DateTimeOffset.UtcNow.AddMinutes(-1);

        var ours = machine.Nacelle(["build", "-t", "corpus", .. flags, context]);
        Assert.True(ours.ExitCode == 0, ours.ToString());
        BuildMachine.Shell(machine.Path, "skopeo copy -q oci:data/images:localhost/base:latest oci:base:base; skopeo copy -q oci:data/images:localhost/corpus:latest oci:ours:image");

        string[] storage = ["--root", machine.Path + "/buildah", "--runroot", machine.Path + "/buildah-run", "--storage-driver", "vfs"];
        var pull = BuildMachine.Run("buildah", [.. storage, "pull", $"oci:{machine.Path}/base:base"]);
        Assert.True(pull.ExitCode == 0, pull.ToString());
        BuildMachine.Run("buildah", [.. storage, "tag", pull.Output.Trim(), BuildMachine.Base]);
        var file = File.Exists(context + "/Containerfile") ? "Containerfile" : "Dockerfile";
        var theirs = BuildMachine.Run("buildah", [.. storage, "bud", "--isolation=chroot", "--layers", "-f", $"{context}/{file}", "-t", "localhost/corpus", .. flags.Any(flag => flag.StartsWith("--format", StringComparison.Ordinal)) ? flags : [.. flags, "--format=oci"], context]);
        Assert.True(theirs.ExitCode == 0, theirs.ToString());
        var push = BuildMachine.Run("buildah", [.. storage, "push", "-q", "localhost/corpus", $"oci:{machine.Path}/theirs:image"]);
        Assert.True(push.ExitCode == 0, push.ToString());
        push = BuildMachine.Run("buildah", [.. storage, "push", "-q", "localhost/corpus", $"dir:{machine.Path}/theirs-as-it-is"]);
        Assert.True(push.ExitCode == 0, push.ToString());

        foreach (var one in (string[])["ours", "theirs"])
        {
            var unpack = BuildMachine.Run("umoci", ["raw", "unpack", "--image", $"{machine.Path}/{one}:image", $"{machine.Path}/{one}-rootfs"]);
            Assert.True(unpack.ExitCode == 0, unpack.ToString());
        }

        Assert.Equal(Lines(machine.Path + "/theirs-rootfs", started), Lines(machine.Path + "/ours-rootfs", started));
        Assert.Equal(Configuration($"dir:{machine.Path}/theirs-as-it-is"), Configuration($"oci:{machine.Path}/ours:image"));
        machine.RequireNothingLeft();
    }

    static string Lines(string rootfs, DateTimeOffset before) =>
        string.Join('\n', ImageTree.Of(rootfs, before).Where(line => !IsLeftover(line.Key, line.Value)).Select(line => $"{line.Key} {line.Value}"));

    /// <summary>Mount points that buildah leaves in images that have none.</summary>
    static bool IsLeftover(string path, string line) => path is "dev" or "proc" or "sys" or "run" && line.StartsWith("Directory", StringComparison.Ordinal);

    static string Configuration(string image)
    {
        var inspect = BuildMachine.Run("skopeo", ["inspect", "--config", "--raw", image]);
        Assert.True(inspect.ExitCode == 0, inspect.ToString());
        var config = JsonNode.Parse(inspect.Output)!.AsObject();
        Keep(config, "author", "architecture", "os", "config", "history");
        var run = config["config"]!.AsObject();
        Keep(run, "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "Healthcheck", "OnBuild", "Shell");
        if (run["Labels"] is JsonObject labels)
        {
            labels.Remove("io.buildah.version");
            if (labels.Count == 0)
            {
                run.Remove("Labels");
            }
        }

        // A variable that is set again keeps its place here, as with Docker; buildah moves it to the end.
        if (run["Env"] is JsonArray variables)
        {
            run["Env"] = new JsonArray([.. variables.Select(variable => variable!.ToString()).Order(StringComparer.Ordinal).Select(variable => JsonValue.Create(variable))]);
        }

        // When it was, what it was made from, and by which hashes files are named differs by nature; buildah's ARG lists all names so far, and its
        // RUN also those that ENV hides. A directory that WORKDIR makes is a layer of its own
        // here, as with Docker; buildah puts it into the next one.
        foreach (var step in config["history"]!.AsArray().Select(step => step!.AsObject()))
        {
            step.Remove("created");
            step.Remove("comment");
            var by = step["created_by"]!.ToString();
            var words = by.Split(' ');
            step["created_by"] = by.Contains("#(nop) COPY ", StringComparison.Ordinal) || by.Contains("#(nop) ADD ", StringComparison.Ordinal)
                ? string.Join(' ', words.Where(word => !word.Contains(':')))
                : by.Contains("#(nop) ARG ", StringComparison.Ordinal) ? "ARG"
                : by.StartsWith('|') ? by[by.IndexOf(" /bin/", StringComparison.Ordinal)..]
                : by.Replace("/bin/busybox sh -e -c ", "/bin/sh -c ", StringComparison.Ordinal); // SHELL, of which buildah's history does not know
            if (by.Contains("WORKDIR", StringComparison.Ordinal))
            {
                step.Remove("empty_layer");
            }
        }

        return Sorted(config).ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true });
    }

    /// <summary>Docker's form has more members, which nothing sets.</summary>
    static void Keep(JsonObject map, params string[] names)
    {
        foreach (var name in map.Select(member => member.Key).ToList())
        {
            if (!names.Contains(name) || map[name] is null or JsonArray { Count: 0 } or JsonObject { Count: 0 } || map[name]!.ToJsonString() == "\"\"")
            {
                map.Remove(name);
            }
        }
    }

    static JsonNode Sorted(JsonNode node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, member.Value is null ? null : Sorted(member.Value)))),
        JsonArray list => new JsonArray([.. list.Select(item => item is null ? null : Sorted(item))]),
        _ => node.DeepClone(),
    };

    public void Dispose() => machine.Dispose();
}
