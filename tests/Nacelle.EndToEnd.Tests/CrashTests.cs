using System.Diagnostics;

namespace Nacelle.EndToEnd.Tests;

public sealed class CrashTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void What_is_killed_at_any_moment_leaves_nothing_that_gc_does_not_find()
    {
        Assert.Equal(0, machine.Nacelle("fetch", TestImages.Busybox).ExitCode);
        var before = Fingerprint();
        var random = new Random(4711);
        for (int round = 0; round < 60; round++)
        {
            var process = machine.Start(["run", .. round % 3 == 0 ? (string[])["--private-users"] : [], TestImages.Busybox, "--", "sh", "-c", "sleep 0.01"]);
            var until = Stopwatch.StartNew();
            double microseconds = random.Next(0, 25000);
            while (until.Elapsed.TotalMicroseconds < microseconds)
            {
                Thread.SpinWait(50);
            }

            if (round % 2 == 0)
            {
                process.Kill();
            }
            else
            {
                KillInit(process.Id);
            }

            process.WaitForExit();
        }

        Assert.Equal(before, Fingerprint());
        Assert.Equal("still here\n", machine.Shell("echo still here").Output);
        // Disposing collects, and fails when anything is left.
    }

    /// <summary>Kills the pod's PID 1, where there is one already.</summary>
    static void KillInit(int outer)
    {
        try
        {
            foreach (var child in File.ReadAllText($"/proc/{outer}/task/{outer}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                Linux.Processes.Kill(int.Parse(child), Linux.Signal.Kill);
            }
        }
        catch (IOException)
        {
            // Ended before.
        }
    }

    /// <summary>All that the store holds, by content.</summary>
    string Fingerprint()
    {
        var result = Machine.Run("/bin/sh", "-c", $"cd {machine.Data} && find layers images refs -printf '%p %m %U %G %l\\n' | sort && find layers images -type f -exec sha256sum {{}} + | sort");
        Assert.True(result.ExitCode == 0 && result.Output.Length > 1000, result.ToString());
        return result.Output;
    }
}
