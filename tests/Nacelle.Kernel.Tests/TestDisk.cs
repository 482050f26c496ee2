using System.Diagnostics;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>A block device to be limited: one of the machine's disks, or, where there is none, a loop device over a file, of which nothing is left.</summary>
sealed class TestDisk : IDisposable
{
    readonly TemporaryDirectory? directory;
    readonly string? loop;

    /// <param name="ownFile">A loop device in any case, which may be written to.</param>
    public TestDisk(bool ownFile = false)
    {
        string? disk = ownFile ? null : Directory.GetDirectories("/sys/block").FirstOrDefault(entry => File.Exists($"{entry}/device/uevent"));
        if (disk is null)
        {
            directory = new TemporaryDirectory();
            File.WriteAllBytes($"{directory.Path}/disk", new byte[4 << 20]);
            loop = Run("losetup", "--find", "--show", $"{directory.Path}/disk").Trim();
            if (!loop.StartsWith("/dev/loop", StringComparison.Ordinal))
            {
                Dispose();
                Assert.Skip("no disk and no loop device");
            }

            disk = $"/sys/block/{loop["/dev/".Length..]}";
        }

        var number = File.ReadAllText($"{disk}/dev").Trim().Split(':').Select(uint.Parse).ToArray();
        Number = new(number[0], number[1]);
    }

    public DeviceNumber Number { get; }

    /// <summary>The node of a loop device.</summary>
    public string Path => loop!;

    public void Dispose()
    {
        if (loop?.Length > 0)
        {
            Run("losetup", "--detach", loop);
        }

        directory?.Dispose();
    }

    static string Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new ProcessStartInfo($"/sbin/{program}", arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
