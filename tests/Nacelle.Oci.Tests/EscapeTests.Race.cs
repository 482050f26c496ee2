using System.Diagnostics;

namespace Nacelle.Oci.Tests;

/// <summary>Directories that become symlinks to the host's while mounts are put into them.</summary>
public sealed partial class EscapeTests
{
    // CVE-2021-30465: between the check of a mount's target and the mount, somebody who shares a volume or the rootfs swaps a directory of the path with a symlink, and the mount
    // lands on the host, or the host's directory in the container. CVE-2024-45310: the same while the target is made: directories and files appear on the host.
    [Theory]
    [InlineData("volume")]
    [InlineData("rootfs")]
    [InlineData("devices")]
    public void Whoever_swaps_directories_during_creation_gets_nothing_of_the_host(string where)
    {
        var host = Directory.CreateDirectory($"{machine.Path}/host").FullName;
        File.WriteAllText($"{host}/secret", SecretText);
        var volume = Directory.CreateDirectory($"{machine.Path}/volume").FullName;
        var bundle = Attacker("cat /proc/self/mountinfo; find / -xdev -name secret; cat /*/a/secret /*/a/sub/secret /dev/secret 2>/dev/null; echo ran");
        var (directory, name) = where switch
        {
            "volume" => (volume, "a"),
            "rootfs" => ($"{bundle.Rootfs}/data", "a"),
            _ => (bundle.Rootfs, "dev"),
        };
        bundle.With(one =>
        {
            var at = where == "volume" ? "/vol/a" : "/data/a";
            one.AddMount("/vol", "bind", volume, "bind", "rw");
            if (where == "devices")
            {
                RemoveDev(one);
                return;
            }

            one.AddMount($"{at}/sub", "tmpfs", "tmpfs");
            one.AddMount($"{at}/new/deep/er", "tmpfs", "tmpfs");
            one.AddMount($"{at}/file", "bind", $"{bundle.Rootfs}/etc/passwd", "bind");
            one.AddMount($"{at}/dir", "bind", volume, "bind");
        });
        Directory.CreateDirectory($"{directory}/{name}");
        File.CreateSymbolicLink($"{directory}/link", host);
        Directory.CreateDirectory($"{bundle.Rootfs}{host}"); // so that the link leads somewhere inside as well, and creation goes on
        var before = Snapshot(host);
        int ran = 0, refused = 0;
        using (var swap = new NameSwap(directory, name, "link"))
        {
            for (var watch = Stopwatch.StartNew(); ran + refused < 150 && (watch.Elapsed.TotalSeconds < 8 || ran + refused < 20);)
            {
                var result = machine.RunBundle(bundle);
                Assert.DoesNotContain(SecretText, result.Output, StringComparison.Ordinal);
                Assert.True(result.ExitCode == 0 || (result.ExitCode == 1 && Lines(result.Errors).Length == 1), result.ToString());
                Assert.All(Lines(result.Output).Where(line => line.Contains(" - ", StringComparison.Ordinal)), line => Assert.False(line.Split(' ')[3].EndsWith("/host", StringComparison.Ordinal), line));
                Assert.Equal(before, Snapshot(host));
                Assert.DoesNotContain(machine.Path, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
                _ = result.ExitCode == 0 ? ran++ : refused++;
            }

            Assert.True(ran > 0 && swap.Count > 1000, $"{ran} ran, {refused} were refused, {swap.Count} swaps");
        }
    }
}
