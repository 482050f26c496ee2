namespace Nacelle.EndToEnd.Tests;

/// <summary>Files with the UUID of a pod: written by <c>run</c>, and taken in the place of a UUID by all that names one.</summary>
public sealed class UuidFileTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    string Saved => $"{machine.Path}/saved";

    [Fact]
    public void Every_command_about_a_pod_takes_a_file()
    {
        var process = machine.Start("run", $"--uuid-file-save={Saved}", TestImages.Busybox, "--", "sh", "-c", "trap 'exit 4' TERM; while true; do sleep 0.05; done");
        Machine.Eventually(() => File.Exists(Saved) && File.ReadAllText(Saved).EndsWith('\n'), "the UUID is written");
        var uuid = File.ReadAllText(Saved).Trim();
        Assert.Contains("state=running", machine.Nacelle("status", "--wait-ready", $"--uuid-file={Saved}").Output, StringComparison.Ordinal);
        Assert.Contains("PodManifest", machine.Nacelle("cat-manifest", $"--uuid-file={Saved}").Output, StringComparison.Ordinal);
        Assert.Equal("-l\n", machine.Nacelle("enter", $"--uuid-file={Saved}", "echo", "-l").Output);
        Machine.Eventually(() => machine.Nacelle("stop", $"--uuid-file={Saved}") is { ExitCode: 0 } stop && stop.Output == $"\"{uuid}\"\n" && process.WaitForExit(1000), "the pod stops");
        Assert.Equal(0, machine.Nacelle("export", $"--uuid-file={Saved}", $"{machine.Path}/out.aci").ExitCode);
        Assert.Equal($"\"{uuid}\"\n", machine.Nacelle("rm", $"--uuid-file={Saved}").Output);
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void A_prepared_pod_is_run_by_its_file()
    {
        File.WriteAllText(Saved, machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--", "echo", "later").Output);
        Assert.Equal("later\n", machine.Nacelle("run-prepared", $"--uuid-file={Saved}").Output);
    }

    [Theory]
    [InlineData(null, "--uuid-file=FILE: there is no UUID in it")]
    [InlineData("\n", "--uuid-file=FILE: there is no UUID in it")]
    [InlineData("not a uuid\n", "there is no pod 'not a uuid'")]
    [InlineData("../../etc\n", "there is no pod '../../etc'")]
    public void A_file_without_a_uuid_is_refused(string? content, string complaint)
    {
        if (content is not null)
        {
            File.WriteAllText(Saved, content);
        }

        foreach (var command in (string[])["status", "rm", "stop", "cat-manifest", "enter", "run-prepared"])
        {
            var result = machine.Nacelle(command, $"--uuid-file={Saved}");
            Assert.Equal((254, $"nacelle: {complaint.Replace("FILE", Saved, StringComparison.Ordinal)}\n"), (result.ExitCode, result.Errors));
        }
    }

    [Fact]
    public void A_file_that_cannot_be_written_leaves_no_pod()
    {
        var run = machine.Nacelle("run", $"--uuid-file-save={machine.Path}/no/such/directory", TestImages.Busybox, "--", "true");
        Assert.Equal(254, run.ExitCode);
        Assert.Single(run.Errors.TrimEnd('\n').Split('\n'));
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void Several_pods_may_be_named_in_either_way()
    {
        string[] uuids = [.. Enumerable.Range(0, 3).Select(_ => machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--", "true").Output.Trim())];
        File.WriteAllText(Saved, uuids[0]);
        var remove = machine.Nacelle("rm", $"--uuid-file={Saved}", uuids[1], "00000000-0000-0000-0000-000000000000", uuids[2][..13]);
        Assert.Equal((254, string.Concat(uuids.Select(uuid => $"\"{uuid}\"\n")), "nacelle: there is no pod '00000000-0000-0000-0000-000000000000'\n"), (remove.ExitCode, remove.Output, remove.Errors));
        Assert.Empty(machine.Pods());
    }
}
