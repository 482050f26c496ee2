using System.Security.Cryptography;
using Nacelle.Linux;

namespace Nacelle.Oci.Tests;

/// <summary>The runtime's own executable, which a container must not be able to change, and which must load nothing of the container's.</summary>
public sealed partial class EscapeTests
{
    /// <summary>What somebody does who has got hold of an executable as descriptor 9, after nobody runs it any more: see execve(2), ETXTBSY.</summary>
    const string ChangeExecutable = """
        (echo evil >/proc/self/fd/9) && echo CHANGED content
        (echo evil >>/proc/self/fd/9) && echo CHANGED end
        mount -o remount,bind,rw /proc/self/fd/9 && echo CHANGED mount
        (echo evil >/proc/self/fd/9) && echo CHANGED content behind the mount
        mount --bind /proc/self/fd/9 /data/exe && mount -o remount,bind,rw /data/exe && echo evil >/data/exe && echo CHANGED copy of the mount
        ln -f /proc/self/fd/9 /data/link && echo evil >/data/link && echo CHANGED link
        """;

    /// <summary>What processes of ours execute inside is some kilobytes of memory that nobody else will ever run: its mode and its owner may be anybody's.</summary>
    static bool RunnerWasHeld(string log) =>
        log.Split('\n').FirstOrDefault(line => line.StartsWith("held ", StringComparison.Ordinal)) is { } held
        && int.Parse(held[5..], System.Globalization.CultureInfo.InvariantCulture) is > 1000 and < 100_000;

    /// <summary>A copy of nacelle-oci, so that no attack can reach the one that all tests use.</summary>
    string CopyProgram()
    {
        var copy = $"{machine.Path}/nacelle-oci";
        File.Copy(OciMachine.Program, copy);
        return copy;
    }

    static string Fingerprint(string file) =>
        Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))) + OciMachine.Run("/usr/bin/stat", "-c", " %a %u %g %h %s", file).Output;

    // CVE-2019-5736: the container makes the runtime's process execute the runtime once more (/proc/self/exe as the program, or as a script's interpreter), or
    // just looks at the one that joins; it keeps /proc/PID/exe open, and when that process has ended it writes there: into the file that root on the host runs next.
    [Theory]
    [InlineData("/bin/true")]
    [InlineData("/proc/self/exe")]
    [InlineData("/evil")]
    public void The_executable_of_who_joins_cannot_be_changed(string program)
    {
        var copy = CopyProgram();
        var before = Fingerprint(copy);
        var bundle = Attacker(StopWhoJoins("exec 9</proc/$n/exe && echo held $(wc -c <&9)", $"if [ -e /proc/self/fd/9 ]; then\n{ChangeExecutable}\nfi"), Strong);
        File.WriteAllText($"{bundle.Rootfs}/evil", "#!/proc/self/exe\n");
        File.SetUnixFileMode($"{bundle.Rootfs}/evil", (UnixFileMode)0x1ED);
        File.WriteAllText($"{bundle.Rootfs}/data/exe", "");
        var log = JoinWhileAttacked(bundle, copy, program);
        Assert.True(RunnerWasHeld(log), log); // or nothing was tried
        Assert.DoesNotContain("CHANGED", log, StringComparison.Ordinal);
        Assert.Equal(before, Fingerprint(copy));
    }

    // The same against the process of a container that has been created and waits.
    [Fact]
    public void The_executable_of_a_created_container_cannot_be_changed()
    {
        var copy = CopyProgram();
        var before = Fingerprint(copy);
        var bundle = Attacker("sleep 1000", Strong);
        File.WriteAllText($"{bundle.Rootfs}/data/exe", "");
        var id = OciMachine.NewId();
        string[] root = [$"--root={machine.Root}"];
        Assert.Equal(0, machine.Background(copy, [.. root, "create", $"--bundle={bundle.Path}", id]).ExitCode);
        Assert.Equal(0, machine.Background(copy, [.. root, "exec", "--detach", id, "/bin/sh", "-c", $"""
            exec 2>/dev/null >/data/log 9</proc/1/exe
            echo held $(wc -c <&9)
            until [ -e /data/go ]; do sleep 0.01; done
            {ChangeExecutable}
            >/data/done
            """]).ExitCode);
        OciMachine.Eventually(() => File.Exists($"{bundle.Rootfs}/data/log") && File.ReadAllText($"{bundle.Rootfs}/data/log").EndsWith('\n'), "the executable is held");
        Assert.Equal(0, OciMachine.Run(copy, [.. root, "start", id]).ExitCode);
        File.WriteAllText($"{bundle.Rootfs}/data/go", "");
        OciMachine.Eventually(() => File.Exists($"{bundle.Rootfs}/data/done"), "the attacker is done");
        var log = File.ReadAllText($"{bundle.Rootfs}/data/log");
        Assert.True(RunnerWasHeld(log), log);
        Assert.DoesNotContain("CHANGED", log, StringComparison.Ordinal);
        Assert.Equal(before, Fingerprint(copy));
    }

    // The entry point itself: it must not be more than a program that ends with an error.
    [Theory]
    [InlineData("/proc/self/exe")]
    [InlineData("/evil")]
    public void A_container_whose_program_is_the_runtime_changes_nothing(string program)
    {
        var copy = CopyProgram();
        var before = Fingerprint(copy);
        var bundle = machine.NewBundle(program, "no-such-command").Write();
        File.WriteAllText($"{bundle.Rootfs}/evil", "#!/proc/self/exe\n");
        File.SetUnixFileMode($"{bundle.Rootfs}/evil", (UnixFileMode)0x1ED);
        var result = OciMachine.Run(copy, $"--root={machine.Root}", "run", $"--bundle={bundle.Path}", OciMachine.NewId());
        Assert.NotEqual(0, result.ExitCode);
        Assert.Equal(before, Fingerprint(copy));
    }

    // CVE-2019-14271: docker cp loaded libnss of the container's while it was in its root. What loads no library cannot load another's.
    [Theory]
    [InlineData("nacelle")]
    [InlineData("nacelle-init")]
    [InlineData("nacelle-oci")]
    public void Our_executables_need_no_interpreter_and_no_library(string name)
    {
        const int PT_DYNAMIC = 2, PT_INTERP = 3, DT_NULL = 0, DT_NEEDED = 1;
        var image = File.ReadAllBytes($"{Path.GetDirectoryName(OciMachine.Program)}/{name}");
        int headers = (int)BitConverter.ToInt64(image, 32), size = BitConverter.ToInt16(image, 54), count = BitConverter.ToInt16(image, 56); // elf(5), Elf64_Ehdr
        Assert.True(image.AsSpan(0, 4).SequenceEqual("\u007fELF"u8) && count > 0);
        for (int i = 0; i < count; i++)
        {
            int header = headers + (i * size), type = BitConverter.ToInt32(image, header);
            Assert.NotEqual(PT_INTERP, type);
            if (type == PT_DYNAMIC)
            {
                for (int entry = (int)BitConverter.ToInt64(image, header + 8); BitConverter.ToInt64(image, entry) is not DT_NULL and var tag; entry += 16)
                {
                    Assert.NotEqual(DT_NEEDED, tag);
                }
            }
        }
    }

    // Also CVE-2019-14271: whoever opened one of these pipes to read configuration or code from it would wait for ever.
    [Fact]
    public void Name_service_and_loader_files_of_the_image_are_not_opened()
    {
        var bundle = machine.NewBundle("/bin/true");
        using var rootfs = Files.Open(bundle.Rootfs, OpenFlags.Path | OpenFlags.Directory);
        Directory.CreateDirectory($"{bundle.Rootfs}/lib/x86_64-linux-gnu");
        foreach (var file in (string[])
            ["etc/nsswitch.conf", "etc/group", "etc/ld.so.cache", "etc/ld.so.preload", "etc/localtime", "etc/resolv.conf", "lib/x86_64-linux-gnu/libnss_files.so.2", "lib/x86_64-linux-gnu/libc.so.6"])
        {
            Files.TryUnlink(rootfs, file);
            Files.MakeNode(rootfs, file, (uint)FileKind.Pipe | 0x1B6, 0);
        }

        bundle.With(one => one.Process["user"] = new System.Text.Json.Nodes.JsonObject { ["uid"] = 1000, ["gid"] = 1000 });
        var run = OciMachine.Run("/usr/bin/timeout", "--signal=KILL", "60", OciMachine.Program, $"--root={machine.Root}", "run", $"--bundle={bundle.Path}", OciMachine.NewId());
        Assert.True(run.ExitCode == 0, run.ToString());
        bundle.With(one => one.Process["args"] = new System.Text.Json.Nodes.JsonArray("/bin/sleep", "1000"));
        var id = machine.Start(bundle);
        var exec = OciMachine.Run("/usr/bin/timeout", "--signal=KILL", "60", OciMachine.Program, $"--root={machine.Root}", "exec", "--user=1000:1000", id, "/bin/true");
        Assert.True(exec.ExitCode == 0, exec.ToString());
    }
}
