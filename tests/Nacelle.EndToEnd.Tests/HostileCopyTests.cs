namespace Nacelle.EndToEnd.Tests;

/// <summary>Copying from and to pods whose apps would like it to read or write somewhere else.</summary>
public sealed class HostileCopyTests : IDisposable
{
    const string Secret = "a secret of the host\n";

    readonly Machine machine = new();

    public HostileCopyTests()
    {
        Directory.CreateDirectory(Outside);
        File.WriteAllText($"{Outside}/secret", Secret);
        Directory.CreateDirectory(Local);
    }

    public void Dispose() => machine.Dispose();

    /// <summary>Of the host, and named in the app's links.</summary>
    string Outside => $"{machine.Path}/outside";

    string Local => $"{machine.Path}/local";

    Result Copy(params string[] arguments) => machine.Nacelle(["cp", .. arguments]);

    string In(string uuid, string script) => machine.Nacelle("enter", uuid, "/bin/sh", "-c", script).Output;

    string Start(string script, params string[] flags)
    {
        var (_, uuid) = machine.StartShell($"{script}; touch /made; exec sleep 600", flags);
        Machine.Eventually(() => In(uuid, "ls /made") == "/made\n", "the app has made its files");
        return uuid;
    }

    void Untouched()
    {
        Assert.Equal(["secret"], Directory.GetFileSystemEntries(Outside).Select(path => Path.GetFileName(path)));
        Assert.Equal(Secret, File.ReadAllText($"{Outside}/secret"));
    }

    [Fact]
    public void Links_of_the_app_lead_nowhere_but_to_its_own_files()
    {
        var uuid = Start($"mkdir /d; ln -s {Outside} /way; ln -s {Outside}/secret /file; ln -s ../../../../../../..{Outside} /up; ln -s /d{Outside} /in; mkdir -p /d{Outside}; ln -s {Outside} /d/way");
        File.WriteAllText($"{Local}/x", "x");
        foreach (var path in (string[])["/way/x", "/way/", "/up/x"])
        {
            Assert.Contains("there is no such file or directory", Copy($"{Local}/x", $"{uuid}:{path}").Errors, StringComparison.Ordinal);
        }

        foreach (var path in (string[])["/way/secret", "/up/secret", "/way/", "/proc/self/root/etc", "/proc/1/root/etc"])
        {
            Assert.Equal(254, Copy($"{uuid}:{path}", $"{Local}/got").ExitCode);
        }

        Assert.Equal(254, Copy("--follow-link", $"{uuid}:/file", $"{Local}/got").ExitCode);
        Assert.False(Path.Exists($"{Local}/got"));

        // The last name is made anew, where the link leads in the app's own tree.
        Assert.Equal(254, Copy($"{Local}/x", $"{uuid}:/file").ExitCode);
        Assert.Equal(0, Copy($"{Local}/x", $"{uuid}:/in/x").ExitCode);
        Assert.Equal("x", In(uuid, $"cat /d{Outside}/x"));

        // A whole tree with links in it: they stay links, and nothing is put through them.
        Assert.Equal(0, Copy($"{uuid}:/d", $"{Local}/tree").ExitCode);
        Assert.Equal(Outside, new FileInfo($"{Local}/tree/way").LinkTarget);
        Directory.CreateDirectory($"{Local}/d/way");
        File.WriteAllText($"{Local}/d/way/y", "y");
        Assert.Contains("d/way is a directory, and what is in its place is none", Copy($"{Local}/d", $"{uuid}:/").Errors, StringComparison.Ordinal);
        Assert.Equal(0, Copy("--overwrite", $"{Local}/d", $"{uuid}:/").ExitCode);
        Assert.Equal("y", In(uuid, "cat /d/way/y"));
        Untouched();
    }

    [Theory]
    [InlineData]
    [InlineData("--private-users")]
    public void What_is_swapped_for_a_link_while_it_is_copied_is_not_followed(params string[] flags)
    {
        // Both are there all the time, and change places faster than a copy can look twice.
        var (_, uuid) = machine.StartShell(
            $"mkdir -p /s/d; for i in $(seq 50); do echo inside >/s/d/f$i; done; echo inside >/s/d/secret; ln -s {Outside} /s/l; touch /made; cd /s; while true; do mv d t; mv l d; mv d l; mv t d; done", flags);
        Machine.Eventually(() => In(uuid, "ls /made") == "/made\n", "the app has made its files");
        Directory.CreateDirectory($"{Local}/d");
        File.WriteAllText($"{Local}/d/new", "new");
        for (int i = 0; i < 25; i++)
        {
            Copy($"{uuid}:/s", $"{Local}/out-{i}");
            Copy($"{uuid}:/s/d/secret", $"{Local}/secret-{i}");
            Copy($"{uuid}:/s/d/.", $"{Local}/content-{i}");
            Copy("--overwrite", $"{Local}/d", $"{uuid}:/s");
            Copy($"{Local}/d/new", $"{uuid}:/s/d/new-{i}");
        }

        foreach (var file in Directory.GetFiles(Local, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }))
        {
            Assert.DoesNotContain("host", File.ReadAllText(file), StringComparison.Ordinal);
        }

        Untouched();
    }

    [Fact]
    public void A_pipe_or_a_device_in_the_place_of_a_file_is_not_opened()
    {
        var uuid = Start("mkdir /p; mkfifo /p/pipe || mknod /p/pipe p; mknod /p/console c 5 1; mknod /p/disk b 7 0; echo x >/p/file");
        var copy = Copy($"{uuid}:/p", $"{Local}/p");
        Assert.True(copy.ExitCode == 0, copy.ToString());
        Assert.Equal("block special file\ncharacter special file\nfifo\nregular file\n", Machine.Script(Local, "stat -c %F p/* | sort"));
        Assert.Equal(0, Copy($"{uuid}:/p/pipe", $"{Local}/pipe").ExitCode);
        Assert.Equal(0, Copy($"{Local}/p/file", $"{uuid}:/p/pipe").ExitCode); // it gives way
        Assert.Equal("x\n", In(uuid, "cat /p/pipe"));
    }

    [Fact]
    public void Trees_that_are_too_deep_are_refused_and_long_names_are_not()
    {
        var uuid = Start("cd /tmp; n=$(printf 'x%.0s' $(seq 250)); i=0; mkdir ok; cd ok; while [ $i -lt 12 ]; do mkdir $n; cd $n; i=$((i+1)); done; echo deep >file; cd /tmp; mkdir bad; cd bad; i=0; while [ $i -lt 300 ]; do mkdir a; cd a; i=$((i+1)); done");
        Assert.Equal(0, Copy($"{uuid}:/tmp/ok", $"{Local}/ok").ExitCode);
        Assert.Equal("deep\n", Machine.Script(Local, "find ok -name file -exec cat {} +"));
        var deep = Copy($"{uuid}:/tmp/bad", $"{Local}/bad");
        Assert.True(deep.ExitCode == 254, deep.ToString());
        Assert.Contains("lies deeper than 256 directories", deep.Errors, StringComparison.Ordinal);
        Assert.False(Path.Exists($"{Local}/bad"));
        Assert.Empty(Directory.GetFileSystemEntries(Local, ".nacelle*"));
    }

    [Fact]
    public void A_full_disk_leaves_everything_as_it_was()
    {
        Machine.Script(machine.Path, "mkdir small; mount -t tmpfs -o size=256k none small; echo old >small/file");
        try
        {
            Machine.Script(Local, "head -c 1000000 /dev/zero >file; mkdir tree; cp file tree/");
            var uuid = Start("true", $"--volume=v,kind=host,source={machine.Path}/small", "--mount=volume=v,target=/v");
            foreach (var source in (string[])["file", "tree"])
            {
                var copy = Copy($"{Local}/{source}", $"{uuid}:/v");
                Assert.True(copy.ExitCode == 254, copy.ToString());
                Assert.Contains("ENOSPC", Assert.Single(copy.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
            }

            Assert.Equal("file\nold\n", Machine.Script(machine.Path, "ls -A small; cat small/file"));
            var outwards = Copy($"{uuid}:/bin", $"{machine.Path}/small");
            Assert.True(outwards.ExitCode == 254, outwards.ToString());
            Assert.Equal("file\n", Machine.Script(machine.Path, "ls -A small"));
        }
        finally
        {
            machine.Nacelle("list", "--no-legend", "--full").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToList().ForEach(line => machine.Nacelle("stop", "--force", line.Split('\t')[0]));
            Machine.Script(machine.Path, "umount -l small");
        }
    }

    [Fact]
    public void A_file_that_changes_while_it_is_copied_is_copied_with_the_length_it_had()
    {
        var (_, uuid) = machine.StartShell("cd /tmp; : >f; touch /made; while true; do head -c 500000 /dev/zero >f; : >f; done");
        Machine.Eventually(() => In(uuid, "ls /made") == "/made\n", "the app has made its files");
        for (int i = 0; i < 30; i++)
        {
            var copy = Copy($"{uuid}:/tmp/f", $"{Local}/f");
            Assert.True(copy is { ExitCode: 0, Errors: "" }, copy.ToString());
            Assert.InRange(new FileInfo($"{Local}/f").Length, 0, 500_000);
        }
    }
}
