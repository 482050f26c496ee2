using System.Diagnostics;

namespace Nacelle.EndToEnd.Tests;

/// <summary>A Debian whose process 1 is systemd, for the length of a script.</summary>
static class SystemdHost
{
    /// <summary>nspawn shows control groups read-only; a host has them writable.</summary>
    const string Groups = "mount -o remount,rw,bind /sys/fs/cgroup; for d in /sys/fs/cgroup/*; do mount -o remount,rw,bind \"$d\" 2>/dev/null || :; done";

    /// <summary>The directory that both sides see is one for all tests.</summary>
    static readonly Lock Turn = new();

    /// <summary>Skips a test where the machine cannot boot it.</summary>
    public static void Require()
    {
        Assert.SkipUnless(Linux.Processes.IsRoot, "pods need root");
        Machine.Require("/usr/bin/systemd-nspawn", "/usr/sbin/debootstrap");
    }

    /// <summary>Runs a script there that must succeed. <c>$nacelle</c> is nacelle on a data directory that is not kept, <c>$program</c> the executable alone, <c>$image</c> the image of busybox.</summary>
    /// <returns>What the script prints.</returns>
    public static string Run(string script)
    {
        Require();
        lock (Turn)
        {
            return RunInTurn(script);
        }
    }

    static string RunInTurn(string script)
    {
        var image = TestImages.Busybox.Split(':')[1]; // an OCI layout
        var share = Path.GetDirectoryName(image)!;
        File.WriteAllText(share + "/script", $"""
            set -e
            {Groups}
            program={Machine.Program} nacelle="{Machine.Program} --dir=/run/pods --insecure-options=image" image=oci:/run/share/busybox:busybox
            {script}
            """);
        using var process = Process.Start(new ProcessStartInfo($"{Machine.Sources}/eng/systemd-host.sh", ["--share", share, "--", "sh", "/run/share/script"])
        {
            WorkingDirectory = Machine.Sources, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{output}\n{errors.Result}");
        return output[(output.IndexOf("making a Debian", StringComparison.Ordinal) is 0 ? output.IndexOf('\n') + 1 : 0)..];
    }
}
