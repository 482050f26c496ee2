namespace Nacelle.EndToEnd.Tests;

/// <summary>The flavor fly: a chroot, and no isolation.</summary>
public sealed class FlyTests : IDisposable
{
    const string Fly = "--stage1-name=nacelle/stage1-fly";

    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    [InlineData("true", 0)]
    public void The_process_is_the_app(string script, int code) => Assert.Equal(code, machine.Shell(script, Fly).ExitCode);

    [Fact]
    public void The_app_has_its_root_and_the_hosts_kernel_files_and_namespaces()
    {
        var result = machine.Shell("for n in pid ipc uts net user cgroup; do readlink /proc/self/ns/$n; done; test -d /proc/1 -a -c /dev/null -a -d /sys/kernel; mount | grep -c ' /tmp '; test -e /root; echo $?", Fly);
        var host = string.Concat(((string[])["pid", "ipc", "uts", "net", "user", "cgroup"]).Select(kind => new FileInfo($"/proc/self/ns/{kind}").LinkTarget + "\n"));
        Assert.Equal(host + "1\n0\n", result.Output);
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public void User_environment_and_directory_are_the_apps()
    {
        var result = machine.Nacelle(
            "run", Fly, "--set-env=GIVEN=yes", TestImages.Busybox, "--exec=/bin/sh", "--user=user", "--working-dir=/etc", "--", "-c", "id -u; id -g; id -G; pwd; echo $FROM_IMAGE $GIVEN $AC_APP_NAME");
        Assert.Equal("1000\n1000\n1000 1001\n/etc\nimage yes busybox\n", result.Output);
    }

    [Fact]
    public void Host_name_and_name_servers_are_the_hosts()
    {
        var result = machine.Shell("cat /etc/hostname; cat /etc/resolv.conf 2>/dev/null | wc -c", Fly);
        var resolv = File.Exists("/etc/resolv.conf") ? new FileInfo("/etc/resolv.conf").Length : 0;
        Assert.Equal($"{Environment.MachineName}\n{resolv}\n", result.Output);
    }

    [Fact]
    public void Mounts_in_a_volume_reach_the_host_and_come_from_it()
    {
        Machine.Require("/usr/bin/unshare");
        var shared = machine.Path + "/shared";
        Directory.CreateDirectory(shared);

        // In a namespace of its own, whose mounts are shared as those of a machine with systemd are.
        var result = Machine.Run("/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-ec", $"""
            mount -t tmpfs shared {shared}; mount --make-shared {shared}; mkdir {shared}/inside {shared}/outside
            {Machine.Program} --dir={machine.Data} run {Fly} --volume=v,kind=host,source={shared} {TestImages.Busybox} --exec=/bin/sh --mount=volume=v,target=/v -- -c '
                mount -t tmpfs none /v/inside; echo app >/v/inside/file; while ! test -e /v/outside/file; do sleep 0.02; done; cat /v/outside/file' &
            while ! test -e {shared}/inside/file; do sleep 0.02; done; cat {shared}/inside/file
            mount -t tmpfs none {shared}/outside; echo host >{shared}/outside/file; wait
            """);
        Assert.Equal("app\nhost\n", result.Output);
    }

    [Fact]
    public void Volumes_are_read_only_and_recursive_where_they_say_so()
    {
        Machine.Require("/usr/bin/unshare");
        var volume = machine.Path + "/volume";
        Directory.CreateDirectory(volume + "/below");
        var result = Machine.Run("/usr/bin/unshare", "--mount", "/bin/sh", "-ec", $"""
            mount -t tmpfs none {volume}/below; touch {volume}/below/file
            {Machine.Program} --dir={machine.Data} run {Fly} --volume=a,kind=host,source={volume} --volume=b,kind=host,source={volume},recursive=true,readOnly=true --volume=c,kind=empty \
                {TestImages.Busybox} --exec=/bin/sh --mount=volume=b,target=/b --mount=volume=c,target=/c/deep -- -c 'ls /b/below; touch /b/file 2>&1; touch /b/below/x 2>&1; touch /c/deep/file && echo written'
            """);
        Assert.Equal("file\ntouch: /b/file: Read-only file system\ntouch: /b/below/x: Read-only file system\nwritten\n", result.Output);
    }

    [Fact]
    public void A_root_that_is_read_only_cannot_be_written_to()
    {
        var result = machine.Nacelle("run", Fly, TestImages.Busybox, "--exec=/bin/sh", "--readonly-rootfs=true", "--", "-c", "touch /file 2>&1; touch /tmp/file");
        Assert.True(result is { ExitCode: 0, Output: "touch: /file: Read-only file system\n" }, result.ToString());
    }

    [Fact]
    public void A_running_app_is_entered_and_stopped()
    {
        var uuid = machine.Path + "/uuid";
        var process = machine.Start("run", Fly, $"--uuid-file-save={uuid}", TestImages.Busybox, "--exec=/bin/sh", "--user=user", "--", "-c", "trap 'exit 6' TERM; echo >/tmp/ready; while true; do sleep 0.05; done");
        Machine.Eventually(() => File.Exists(uuid) && machine.Nacelle("enter", $"--uuid-file={uuid}", "/bin/cat", "/tmp/ready").ExitCode == 0, "the app runs");
        Assert.Equal("1000 user image\n", machine.Nacelle("enter", File.ReadAllText(uuid).Trim(), "/bin/sh", "-c", "echo $(id -u) $(id -un) $FROM_IMAGE").Output);
        Assert.Matches($"(?m)^state=running$[^$]*^pid={process.Id}$", machine.Nacelle("status", File.ReadAllText(uuid).Trim()).Output);
        Assert.Equal(0, machine.Nacelle("stop", File.ReadAllText(uuid).Trim()).ExitCode);
        Assert.True(process.WaitForExit(30000));
        Assert.Equal(6, process.ExitCode);
    }

    [Theory]
    [InlineData("apps are in the host's network: use --net=host, or none of --net", "--net=none")]
    [InlineData("apps keep the host's name: leave --hostname out", "--hostname=other")]
    [InlineData("there are no user namespaces: leave --private-users out", "--private-users")]
    public void What_it_has_not_is_refused(string message, string flag)
    {
        var result = machine.Shell("true", Fly, flag);
        Assert.Equal((254, $"nacelle: the stage1 fly does not isolate: {message}\n"), (result.ExitCode, result.Errors.TrimEnd('\n').Split('\n')[^1] + "\n"));
    }

    [Theory]
    [InlineData("--memory=64M", "resource/memory")]
    [InlineData("--caps-retain=CAP_CHOWN", "os/linux/capabilities-retain-set")]
    public void Isolators_are_refused_by_name(string flag, string isolator)
    {
        var result = machine.Nacelle("run", Fly, TestImages.Busybox, "--exec=/bin/sh", flag, "--", "-c", "true");
        Assert.EndsWith($"nacelle: the stage1 fly does not isolate: there is nothing that could enforce {isolator}, which the app asks for\n", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_apps_are_one_too_many()
    {
        var result = machine.Nacelle("run", Fly, TestImages.Busybox, "--name=one", "--", "true", "---", TestImages.Busybox, "--name=two", "--", "true");
        Assert.EndsWith("nacelle: the stage1 fly runs one app, and the pod has 2\n", result.Errors, StringComparison.Ordinal);
    }
}
