using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>What tests of a configuration say again and again.</summary>
static class Expectations
{
    /// <summary>Runs the bundle's process to its end, which has to be a good one.</summary>
    /// <returns>What it printed, without line breaks at the end.</returns>
    public static string OutputOf(this OciMachine machine, Bundle bundle, params string[] options)
    {
        var run = machine.RunBundle(bundle.Write(), options);
        Assert.True(run.ExitCode == 0, run.ToString());
        return run.Output.TrimEnd('\n');
    }

    /// <summary>Has the bundle refused with exit code 1 and one line that holds these words; nothing is left of the container.</summary>
    public static void Refuses(this OciMachine machine, Bundle bundle, params string[] words)
    {
        var id = OciMachine.NewId();
        var result = machine.Background(OciMachine.Program, $"--root={machine.Root}", "create", $"--bundle={bundle.Write().Path}", id);
        Assert.True(result.ExitCode == 1, result.ToString());
        IsOneLine(result, words);
        machine.HasNothingOf(id);
    }

    /// <summary>The command has failed and said so in one line with these words.</summary>
    public static void Fails(Result result, params string[] words)
    {
        Assert.True(result.ExitCode != 0, result.ToString());
        IsOneLine(result, words);
    }

    static void IsOneLine(Result result, string[] words)
    {
        var line = Assert.Single(result.Errors.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("nacelle-oci: ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("fault of nacelle-oci", line, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.Ordinal));
    }

    public static void HasNothingOf(this OciMachine machine, string id)
    {
        Fails(machine.Oci("state", id), "does not exist");
        Assert.False(Directory.Exists($"{machine.Root}/{id}"), "the state's directory is still there");
        Assert.DoesNotContain(OciMachine.Groups(), group => group.EndsWith($"/{id}", StringComparison.Ordinal));
    }

    /// <summary>Waits until the container's process has ended.</summary>
    public static void WaitUntilStopped(this OciMachine machine, string id) => OciMachine.Eventually(() => machine.Status(id) == "stopped", $"{id} stops");

    /// <summary>Kills and deletes a container, both of which have to succeed.</summary>
    public static void Stop(this OciMachine machine, string id)
    {
        Succeeds(machine.Oci("kill", id, "KILL"));
        machine.WaitUntilStopped(id);
        Succeeds(machine.Oci("delete", id));
    }

    public static void Succeeds(Result result) => Assert.True(result.ExitCode == 0, result.ToString());

    /// <summary>The line of /proc/PID/status with this name: <c>CapEff</c>.</summary>
    public static string StatusOf(string text, string name) =>
        text.Split('\n').Single(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    /// <summary>The namespace of a process: <c>uts:[4026531838]</c>.</summary>
    /// <param name="type">As config.json calls it.</param>
    public static string NamespaceOf(int pid, string type) =>
        new FileInfo($"/proc/{pid}/ns/{LinkOf(type)}").LinkTarget ?? throw new InvalidOperationException($"process {pid} has no {type} namespace");

    /// <summary>The name in /proc/PID/ns.</summary>
    public static string LinkOf(string type) => type switch { "network" => "net", "mount" => "mnt", _ => type };

    /// <summary>A directory on the host that is the container's <paramref name="destination"/> too.</summary>
    public static string Share(this OciMachine machine, Bundle bundle, string destination = "/data")
    {
        var path = Directory.CreateDirectory($"{machine.Path}/shared-{OciMachine.NewId()}").FullName;
        File.SetUnixFileMode(path, (UnixFileMode)0x1FF);
        bundle.AddMount(destination, "none", path, "bind", "rw");
        return path;
    }

    /// <summary>A JSON list of words.</summary>
    public static JsonArray List(params string[] words) => new([.. words.Select(word => JsonValue.Create(word))]);
}
