using System.Diagnostics;
using System.Runtime.CompilerServices;
using Nacelle.Linux;

namespace Nacelle.Images.Tests;

/// <summary>Unpacking as somebody who may not change owners nor make devices.</summary>
public class LayerRootlessTests
{
    const string Variable = "NACELLE_TEST_LAYER_ROOTLESS";

    static TarBuilder Archive => new TarBuilder().Directory("./").Directory("sealed", 0x140).File("sealed/file", "x", 0x124)
        .Pax(("SCHILY.xattr.user.bytes", "\u0080")).File("readonly", "y", 0x124)
        .Entry('0', "others", "z"u8.ToArray(), mode: 0x9ED, owner: 1000, group: 1000).File(".wh.gone").File("opaque/.wh..wh..opq");

    [Fact]
    public void Files_belong_to_the_caller_when_owners_are_ignored()
    {
        using var scratch = new LayerScratch();
        Assert.Equal("", Unpack(scratch, Archive));
        Assert.Equal(
            """
            others 65534 4755
            readonly 65534 444
            sealed 65534 500
            sealed/file 65534 444
            """,
            scratch.Shell("cd rootfs; stat -c '%n %u %a' others readonly sealed sealed/file").Trim());
        Assert.Equal([0x80], ExtendedAttributes.Get(scratch.Make("rootfs"), "readonly", "user.bytes"));
        Assert.Equal("character special file 0,0", scratch.Shell("stat -c '%F %t,%T' rootfs/gone").Trim());
        Assert.Equal("y"u8.ToArray(), ExtendedAttributes.Get(scratch.Make("rootfs/opaque"), "user.overlay.opaque"));
    }

    [Fact]
    public void A_device_node_is_refused_with_what_to_do()
    {
        using var scratch = new LayerScratch();
        Assert.Equal(
            "layer entry 'null' is a device node (1/3), which only root may make; devices can be left out by option",
            Unpack(scratch, new TarBuilder().Device('3', "null", 1, 3)));
    }

    /// <summary>In this executable once more, as "nobody"; what it says is the message of the refusal.</summary>
    static string Unpack(LayerScratch scratch, TarBuilder archive)
    {
        var executable = Environment.ProcessPath!;
        Assert.SkipUnless(Environment.UserName == "root", "only root can become somebody else");
        Assert.SkipWhen(System.IO.Path.GetFileName(executable) == "dotnet", "the tests run without an executable of their own");
        System.IO.File.WriteAllBytes($"{scratch.Path}/archive.tar", archive.Bytes());
        scratch.Shell("mkdir rootfs; chown -R 65534:65534 .");
        string[] nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        using (var probe = System.Diagnostics.Process.Start("setpriv", [.. nobody, "test", "-x", executable]))
        {
            probe.WaitForExit();
            Assert.SkipUnless(probe.ExitCode == 0, $"'nobody' may not run {executable}");
        }

        var start = new ProcessStartInfo("setpriv", [.. nobody, executable]) { RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment[Variable] = scratch.Path;
        using var child = System.Diagnostics.Process.Start(start)!;
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, output);
        return output;
    }

#pragma warning disable CA2255 // The runner's entry point is generated, and this comes before it.
    [ModuleInitializer]
    internal static void ChildMain()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } path)
        {
            return;
        }

        try
        {
            using var archive = System.IO.File.OpenRead($"{path}/archive.tar");
            using var target = Files.Open($"{path}/rootfs", OpenFlags.ReadOnly | OpenFlags.Directory);
            LayerUnpacker.Unpack(archive, LayerCompression.Detect, target, new UnpackOptions { Owners = OwnerPolicy.Ignore, Overlay = OverlayAttributes.User });
        }
        catch (LayerException refusal)
        {
            Console.Write(refusal.Message);
        }

        Environment.Exit(0);
    }
#pragma warning restore CA2255
}
