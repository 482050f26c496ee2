namespace Nacelle.EndToEnd.Tests;

/// <summary>Files copied into apps and out of them, whatever stage1 runs the pod.</summary>
public sealed class FlavorCopyTests : IDisposable
{
    readonly Machine machine = new();

    public FlavorCopyTests()
    {
        Directory.CreateDirectory(Local);
        File.WriteAllText($"{Local}/file", "copied\n");
    }

    public void Dispose() => machine.Dispose();

    string Local => $"{machine.Path}/local";

    void CopiesBothWays(string uuid)
    {
        foreach (var path in (string[])["/root/file", "/v/file"])
        {
            var into = machine.Nacelle("cp", $"{Local}/file", $"{uuid}:{path}");
            Assert.True(into is { ExitCode: 0, Errors: "" }, into.ToString());
            Assert.Equal("copied\n", machine.Nacelle("enter", uuid, "/bin/cat", path).Output);
            var back = machine.Nacelle("cp", $"{uuid}:{path}", $"{Local}/back");
            Assert.True(back is { ExitCode: 0, Errors: "" }, back.ToString());
            Assert.Equal("copied\n", File.ReadAllText($"{Local}/back"));
        }

        Assert.Equal("copied\n", File.ReadAllText($"{machine.Path}/volume/file"));
    }

    string[] Volume()
    {
        Directory.CreateDirectory($"{machine.Path}/volume");
        return [$"--volume=v,kind=host,source={machine.Path}/volume", "--mount=volume=v,target=/v"];
    }

    [Fact]
    public void In_a_pod_of_fly() => CopiesBothWays(Start("--stage1-name=nacelle/stage1-fly"));

    [Fact]
    public void In_a_pod_of_systemd()
    {
        SystemdFlavorTests.RequireImage();
        CopiesBothWays(Start("--stage1-name=nacelle/stage1-systemd"));
    }

    string Start(string flag)
    {
        var file = $"{machine.Path}/uuid";
        machine.Start(["run", flag, $"--uuid-file-save={file}", .. Volume(), TestImages.Busybox, "--exec=/bin/sleep", "--", "600"]);
        Machine.Eventually(() => File.Exists(file) && machine.Nacelle("enter", $"--uuid-file={file}", "/bin/true").ExitCode == 0, "the app runs");
        return File.ReadAllText(file).Trim();
    }

    [Fact]
    public async Task In_a_pod_of_an_OCI_runtime()
    {
        var uuid = machine.Path + "/uuid";
        var run = Task.Run(() => Machine.Run(
            "/usr/bin/env",
            [$"NACELLE_OCI_RUNTIME={Path.GetDirectoryName(Machine.Program)}/nacelle-oci", Machine.Program, .. machine.Flags, "run", "--stage1-name=nacelle/stage1-oci", $"--uuid-file-save={uuid}", .. Volume(), TestImages.Busybox, "--exec=/bin/sleep", "--", "600"]));
        Machine.Eventually(() => File.Exists(uuid) && machine.Nacelle("enter", $"--uuid-file={uuid}", "/bin/true").ExitCode == 0, "the app runs");
        CopiesBothWays(File.ReadAllText(uuid).Trim());
        Assert.Equal(0, machine.Nacelle("stop", "--force", File.ReadAllText(uuid).Trim()).ExitCode);
        await run;
    }

    [Fact]
    public void In_an_app_that_has_ended_while_its_pod_runs()
    {
        var file = $"{machine.Path}/uuid";
        machine.Start("run", $"--uuid-file-save={file}", TestImages.Busybox, "--name=early", "--exec=/bin/sh", "--", "-c", "echo early >/made", "---", TestImages.Busybox, "--name=late", "--exec=/bin/sleep", "--", "600");
        Machine.Eventually(() => File.Exists(file) && machine.Nacelle("status", $"--uuid-file={file}").Output.Contains("app-early=0", StringComparison.Ordinal), "the first has ended");
        var uuid = File.ReadAllText(file).Trim();
        Assert.Equal(0, machine.Nacelle("cp", $"{uuid}:early:/made", $"{Local}/made").ExitCode);
        Assert.Equal("early\n", File.ReadAllText($"{Local}/made"));
        Assert.Equal(0, machine.Nacelle("cp", $"{Local}/file", $"{uuid}:early:/etc").ExitCode);
        Assert.Equal(0, machine.Nacelle("cp", $"{uuid}:early:/etc/file", $"{Local}/back").ExitCode);
    }

    [Fact]
    public void In_an_app_that_was_added_and_not_started()
    {
        var pod = new MutablePod(machine);
        pod.Add("later", "cat /seed");
        Assert.Equal(0, machine.Nacelle("cp", $"{Local}/file", $"{pod.Uuid}:later:/seed").ExitCode);
        pod.App("start", "later");
        pod.AwaitState("later", "exited");
        Assert.Equal("copied\n", machine.Nacelle("logs", pod.Uuid).Output);
    }
}
