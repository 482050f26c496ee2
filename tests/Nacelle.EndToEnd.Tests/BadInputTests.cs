namespace Nacelle.EndToEnd.Tests;

public sealed class BadInputTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    void IsOneLine(Result result, string complaint)
    {
        Assert.True(result.ExitCode == 254, result.ToString());
        Assert.StartsWith("nacelle: ", result.Errors, StringComparison.Ordinal);
        Assert.EndsWith("\n", result.Errors, StringComparison.Ordinal);
        Assert.Single(result.Errors.TrimEnd('\n').Split('\n'));
        Assert.Contains(complaint, result.Errors, StringComparison.Ordinal);
        Assert.Empty(machine.Pods());
    }

    [Theory]
    [InlineData("docker://127.0.0.1:1/none", "cannot reach registry 127.0.0.1:1")]
    [InlineData("docker://localhost/UPPER", "is not an image reference")]
    [InlineData("none", "is not in the store")]
    [InlineData("/no/such/file", "image not found")]
    [InlineData("oci:/proc:tag", "")]
    public void An_image_that_cannot_be_had(string image, string complaint) => IsOneLine(machine.Nacelle("run", image), complaint);

    [Theory]
    [InlineData("/no/such/program", "/no/such/program is not in the image")]
    [InlineData("nothing", "nothing is not in the image (looked in /bin:/usr/bin)")]
    [InlineData("/bin/needs-interpreter", "needs /no/such/interpreter, which is not in the image")]
    [InlineData("/bin/not-executable", "is not an executable file")]
    public void A_program_that_cannot_run(string program, string complaint) =>
        IsOneLine(machine.Nacelle("run", TestImages.Busybox, $"--exec={program}"), complaint);

    [Fact]
    public void An_image_without_a_program_wants_one() => IsOneLine(machine.Nacelle("run", TestImages.WithoutProgram), "says no program to run");

    [Fact]
    public void An_unknown_user() => IsOneLine(machine.ShellAs("true", "--user=nobody-here"), "the image has no user 'nobody-here'");

    [Fact]
    public void Two_apps_of_one_name() => IsOneLine(machine.Nacelle("run", TestImages.Busybox, TestImages.Busybox), "two apps of the pod are named 'busybox'");

    [Theory]
    [InlineData("--nonsense", "there is no flag --nonsense")]
    [InlineData("--net=bridge", "there is no network 'bridge'")]
    [InlineData("--net=none,default", "'none' stands alone")]
    [InlineData("--net=a,a", "'a' is named twice")]
    [InlineData("--hostname=a_b", "use at most 64 letters")]
    [InlineData("--volume=v", "write NAME,kind=host")]
    public void A_wrong_flag(string flag, string complaint) => IsOneLine(machine.Nacelle("run", flag, TestImages.Busybox), complaint);

    [Fact]
    public void A_command_that_there_is_not() => IsOneLine(machine.Nacelle("fly"), "there is no command 'fly'");

    [Fact]
    public void A_pod_that_there_is_not() => IsOneLine(machine.Nacelle("status", "abcdef"), "there is no pod 'abcdef'");

    [Fact]
    public void A_pod_manifest_is_refused_by_its_path()
    {
        var file = machine.Path + "/pod.json";
        File.WriteAllText(file, """{"acKind":"PodManifest","acVersion":"0.8.11","apps":[{"name":"My App","image":{"id":"x"}}]}""");
        IsOneLine(machine.Nacelle("run", $"--pod-manifest={file}"), "pod.json: apps[0].name: 'My App' is not a valid name");
    }

    [Fact]
    public void A_data_directory_that_is_a_file()
    {
        File.WriteAllText(machine.Data, "");
        IsOneLine(machine.Nacelle("run", TestImages.Busybox), "ENOTDIR");
        File.Delete(machine.Data);
    }

    [Fact]
    public void Who_is_not_root_is_told_so()
    {
        var result = Machine.Run("/usr/bin/setpriv", "--reuid=65534", "--clear-groups", Machine.Program, $"--dir={machine.Data}", "run", TestImages.Busybox);
        Assert.SkipWhen(result.Errors.Contains("failed to execute", StringComparison.Ordinal), "the executables are not readable for others here");
        IsOneLine(result, "cannot run as unprivileged user");
    }

    [Fact]
    public void A_full_disk_leaves_nothing()
    {
        Directory.CreateDirectory(machine.Data);
        Assert.Equal(0, Machine.Run("/bin/mount", "-t", "tmpfs", "-o", "size=6M", "none", machine.Data).ExitCode);
        try
        {
            Assert.Equal(0, machine.Nacelle("fetch", TestImages.Busybox).ExitCode);
            using (var filler = File.Create(machine.Data + "/filler"))
            {
                try
                {
                    for (; ; )
                    {
                        filler.Write(new byte[4096]);
                        filler.Flush();
                    }
                }
                catch (IOException)
                {
                }
            }

            var result = machine.Nacelle("run", TestImages.Busybox, "--", "true");
            IsOneLine(result, "ENOSPC");
        }
        finally
        {
            Machine.Run("/bin/umount", machine.Data);
        }
    }
}
