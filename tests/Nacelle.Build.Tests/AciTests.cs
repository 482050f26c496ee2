namespace Nacelle.Build.Tests;

public sealed class AciTests : IDisposable
{
    const string Manifest = """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/packed","labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],"app":{"exec":["/bin/sh","-c","cat /file"],"user":"0","group":"0"}}""";

    readonly BuildMachine machine = new();

    [Fact]
    public void A_layout_is_packed_the_same_twice_and_is_not_changed()
    {
        var layout = Layout(Manifest);
        BuildMachine.Shell(machine.Path, "find layout -printf '%p %T@ %m\\n' | sort >before");
        var first = machine.Nacelle("build", "--aci", layout, machine.Path + "/one.aci");
        Assert.True(first.ExitCode == 0, first.ToString());
        Assert.Equal(first.Output, machine.Nacelle("build", $"--aci={layout}", machine.Path + "/two.aci").Output);
        BuildMachine.Shell(machine.Path, "cmp one.aci two.aci; find layout -printf '%p %T@ %m\\n' | sort | cmp - before");
        Assert.Equal($"sha512-{BuildMachine.Shell(machine.Path, "gzip -dc one.aci | sha512sum | cut -d' ' -f1")}", first.Output);
        Assert.StartsWith("manifest\nrootfs/\nrootfs/bin", BuildMachine.Shell(machine.Path, "tar -tzf one.aci"), StringComparison.Ordinal);
        var run = machine.Nacelle("--insecure-options=image", "run", "--net=none", machine.Path + "/one.aci");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal("packed\n", run.Output);
    }

    [Fact]
    public void Names_that_mean_something_in_layers_are_only_names_in_an_ACI()
    {
        var layout = Layout(Manifest.Replace("cat /file", "cat /.wh.file /dir/.wh..wh..opq; ls /dir", StringComparison.Ordinal));
        BuildMachine.Shell(machine.Path, "cd layout/rootfs; echo one >.wh.file; mkdir dir; echo two >dir/.wh..wh..opq; echo kept >dir/kept; ln -s sh bin/ls");
        var pack = machine.Nacelle("build", "--aci", layout, machine.Path + "/names.aci");
        Assert.True(pack.ExitCode == 0, pack.ToString());
        var run = machine.Nacelle("--insecure-options=image", "run", "--net=none", machine.Path + "/names.aci");
        Assert.True(run is { ExitCode: 0, Output: "one\ntwo\nkept\n" }, run.ToString());
        Assert.Equal(0, machine.Nacelle("image", "verify", "example.com/packed").ExitCode);
        BuildMachine.Shell(machine.Path, $"{BuildMachine.Binaries}/nacelle --dir=data image export example.com/packed again.aci; gzip -dc names.aci | cmp - again.aci");
    }

    [Theory]
    [InlineData("rm layout/manifest", "is no image layout: it needs a file 'manifest' and a directory 'rootfs'")]
    [InlineData("rm -r layout/rootfs", "is no image layout: it needs a file 'manifest' and a directory 'rootfs'")]
    [InlineData("touch layout/more", "layout/more: an image layout has a manifest and a rootfs, and nothing else")]
    [InlineData("echo '{' >layout/manifest", "layout/manifest: is not JSON")]
    [InlineData("sed -i s/ImageManifest/PodManifest/ layout/manifest", "layout/manifest: acKind")]
    [InlineData("sed -i s,example.com/packed,NOT/valid, layout/manifest", "layout/manifest: name")]
    public void A_layout_that_is_none_is_refused_and_no_file_appears(string change, string message)
    {
        var layout = Layout(Manifest);
        BuildMachine.Shell(machine.Path, change);
        var pack = machine.Nacelle("build", "--aci", layout, machine.Path + "/bad.aci");
        Assert.Equal(254, pack.ExitCode);
        Assert.Contains(message, pack.Errors, StringComparison.Ordinal);
        Assert.Equal(1, pack.Errors.Count(letter => letter == '\n'));
        Assert.False(File.Exists(machine.Path + "/bad.aci"));
    }

    [Fact]
    public void A_build_becomes_an_ACI_that_runs()
    {
        var context = machine.Context("echo content >file");
        var build = machine.Build(
            context, "FROM localhost/base\nCOPY file /\nRUN rm /usr/share/data/old\nENV A=b\nEXPOSE 80\nVOLUME /data\nENTRYPOINT [\"/bin/sh\", \"-c\", \"cat /file; echo $A; ls /usr/share/data\"]\n",
            "-t", "made", "--format=aci", $"--output={machine.Path}/made.aci");
        Assert.True(build.ExitCode == 0, build.ToString());
        var manifest = BuildMachine.Shell(machine.Path, "tar -xOzf made.aci manifest");
        Assert.Contains("\"name\":\"localhost/made\"", manifest, StringComparison.Ordinal);
        Assert.Contains("80-tcp", manifest, StringComparison.Ordinal);
        var run = machine.Nacelle("--insecure-options=image", "run", "--net=none", machine.Path + "/made.aci");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal("content\nb\n", run.Output);
    }

    string Layout(string manifest)
    {
        BuildMachine.Shell(machine.Path, "mkdir -p layout/rootfs/bin; cp /bin/busybox layout/rootfs/bin/sh; ln -s sh layout/rootfs/bin/cat; echo packed >layout/rootfs/file; mkdir layout/rootfs/etc");
        File.WriteAllText(machine.Path + "/layout/manifest", manifest);
        return machine.Path + "/layout";
    }

    public void Dispose() => machine.Dispose();
}
