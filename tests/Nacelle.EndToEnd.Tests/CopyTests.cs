namespace Nacelle.EndToEnd.Tests;

/// <summary>Files copied into pods and out of them, and what becomes of everything that a file is.</summary>
public sealed class CopyTests : IDisposable
{
    /// <summary>One of everything.</summary>
    const string Everything = """
        mkdir -p tree/sub/deep tree/.hidden; cd tree
        echo text >file; chmod 4751 file; chown 1000:1001 file; touch -d '2001-02-03 04:05:06.789012345 UTC' file
        ln file sub/hard; ln -s /etc/passwd sub/absolute; ln -s ../file sub/relative; ln -s nowhere dangling; chown -h 7:8 dangling
        : >empty; truncate -s 3M sparse; printf x | dd of=sparse bs=1 seek=1000000 conv=notrunc status=none; head -c 300000 /dev/urandom >random
        mkfifo pipe; chmod 622 pipe; mknod null c 1 3; mknod loop b 7 0
        name=$(printf 'n%.0s' $(seq 255)); echo long >$name; echo odd >"$(printf 'a b\nc\377')"
        chmod 2750 sub/deep; chown 5:6 sub/deep; chmod 1777 .hidden; chmod 0 empty
        setfattr -n user.colour -v green file; setfattr -n user.shape -v round sub/deep
        touch -h -d '2010-10-10 UTC' dangling; touch -d '1999-12-31 UTC' sub/deep sub .
        """;

    const string Listing = "find . -mindepth 1 -printf '%P|%y|%m|%U:%G|%T@|%s|%l|%n\\n' | sort; find . -type f ! -name empty -exec md5sum {} + | sort -k 2; stat -c '%n %t:%T' null loop; getfattr -hRd . ";

    readonly Machine machine = new();

    public CopyTests() => Machine.Require("/usr/bin/setfattr", "/usr/bin/busybox");

    public void Dispose()
    {
        Machine.Script(machine.Path, "rm -rf local"); // .NET cannot remove what has a name that is no text
        machine.Dispose();
    }

    string Local => $"{machine.Path}/local";

    string Make(string script)
    {
        Directory.CreateDirectory(Local);
        return Machine.Script(Local, script);
    }

    Result Copy(params string[] arguments) => machine.Nacelle(["cp", .. arguments]);

    void Copies(params string[] arguments)
    {
        var copy = Copy(arguments);
        Assert.True(copy is { ExitCode: 0, Output: "", Errors: "" }, copy.ToString());
    }

    void Refuses(string reason, params string[] arguments)
    {
        var copy = Copy(arguments);
        Assert.True(copy.ExitCode == 254, copy.ToString());
        Assert.Contains(reason, Assert.Single(copy.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    string Exited(params string[] flags)
    {
        var file = $"{machine.Path}/uuid-of-exited";
        var run = machine.Nacelle(["run", $"--uuid-file-save={file}", .. flags, TestImages.Busybox, "--exec=/bin/true"]);
        Assert.True(run.ExitCode == 0, run.ToString());
        return File.ReadAllText(file).Trim();
    }

    string InState(string state, params string[] flags) => state switch
    {
        "running" => machine.StartShell("exec sleep 600", flags).Uuid,
        "prepared" => machine.Nacelle(["prepare", "--quiet", .. flags, TestImages.Busybox, "--exec=/bin/sh"]).Output.Trim(),
        _ => Exited(flags),
    };

    string In(string uuid, string script)
    {
        var enter = machine.Nacelle("enter", uuid, "/bin/sh", "-c", script);
        Assert.True(enter.ExitCode == 0, enter.ToString());
        return enter.Output;
    }

    [Theory]
    [InlineData("running")]
    [InlineData("running", "--no-overlay")]
    [InlineData("running", "--private-users")]
    [InlineData("running", "--private-users", "--no-overlay")]
    [InlineData("exited")]
    [InlineData("exited", "--private-users")]
    [InlineData("exited", "--no-overlay")]
    [InlineData("prepared")]
    [InlineData("prepared", "--private-users")]
    public void Everything_that_files_are_comes_back_as_it_went(string state, params string[] flags)
    {
        Make(Everything);
        var uuid = InState(state, flags);
        Copies($"{Local}/tree", $"{uuid}:/root");
        Copies($"{uuid}:/root/tree", $"{Local}/back");
        Assert.Equal(Make($"cd tree; {Listing}"), Make($"cd back; {Listing}"));
        Assert.True(long.Parse(Make("stat -c %b back/sparse")) < 100, "the hole was filled");
        Assert.Equal(Make("stat -c %y/%a tree"), Make("stat -c %y/%a back"));
        Assert.Contains(state == "exited" ? "state=exited\n" : $"state={state}\n", machine.Nacelle("status", uuid).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prepared_pod_runs_with_what_was_copied_into_it()
    {
        var uuid = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--exec=/bin/sh", "--", "-c", "cat /etc/seed; rm /etc/seed; echo more >/etc/grown").Output.Trim();
        Make("echo sown >seed");
        Copies($"{Local}/seed", $"{uuid}:/etc");
        Assert.Equal("sown\n", machine.Nacelle("run-prepared", uuid).Output);
        Copies($"{uuid}:/etc/grown", Local);
        Assert.Equal("more\n", File.ReadAllText($"{Local}/grown"));
        Refuses("there is no such file", $"{uuid}:/etc/seed", Local);
    }

    [Theory]
    [InlineData("file", "/tmp", "/tmp/file")]
    [InlineData("file", "/tmp/", "/tmp/file")]
    [InlineData("file", "/tmp/new", "/tmp/new")]
    [InlineData("file", "tmp/new", "/tmp/new")]
    [InlineData("file", "/there", "/there")]
    [InlineData("file", "/link-to-there", "/there")]
    [InlineData("file", "/dangling", "/tmp/dangled")]
    [InlineData("file", "/full/file", "/full/file")]
    [InlineData("directory", "/tmp", "/tmp/directory/inner")]
    [InlineData("directory/", "/tmp", "/tmp/directory/inner")]
    [InlineData("directory", "/tmp/new", "/tmp/new/inner")]
    [InlineData("directory", "/tmp/new/", "/tmp/new/inner")]
    [InlineData("directory/.", "/tmp", "/tmp/inner")]
    [InlineData("directory/.", "/tmp/new", "/tmp/new/inner")]
    [InlineData("directory", "/link-to-full", "/full/directory/inner")]
    [InlineData("directory/.", "/full", "/full/inner")]
    [InlineData("link-to-directory/", "/tmp", "/tmp/link-to-directory/inner")]
    public void The_copy_goes_where_dockers_rules_say(string source, string target, string path)
    {
        Make("echo new >file; mkdir directory; echo new >directory/inner; ln -s directory link-to-directory; ln -s file link");
        var (_, uuid) = machine.StartShell("cd /; echo old >there; ln -s there link-to-there; ln -s /tmp/dangled dangling; mkdir full; echo old >full/file; ln -s full link-to-full; exec sleep 600");
        Machine.Eventually(() => In(uuid, "ls -d /link-to-full || true").Length > 0, "the app has made its files");
        Copies($"{Local}/{source}", $"{uuid}:{target}");
        Assert.Equal("new\n", In(uuid, $"cat {path}"));
        Assert.Equal(path.StartsWith("/full/", StringComparison.Ordinal) && !path.EndsWith("/file", StringComparison.Ordinal) ? "old\n" : "", In(uuid, path.StartsWith("/full/", StringComparison.Ordinal) && !path.EndsWith("/file", StringComparison.Ordinal) ? "cat /full/file" : "true"));
        Assert.Equal("", In(uuid, "ls -a / /tmp /full | grep nacelle-copy || true"));
    }

    [Fact]
    public void Links_are_copied_as_links_unless_they_are_to_be_followed()
    {
        Make("echo new >file; mkdir directory; ln -s file link; ln -s directory way");
        var uuid = Exited();
        Copies($"{Local}/link", $"{uuid}:/tmp");
        Copies("--follow-link", $"{Local}/link", $"{uuid}:/tmp/followed");
        Copies("--follow-link", $"{Local}/way", $"{uuid}:/tmp");
        Copies($"{uuid}:/tmp/.", $"{Local}/out");
        Assert.Equal("file", new FileInfo($"{Local}/out/link").LinkTarget);
        Assert.Equal("new\n", File.ReadAllText($"{Local}/out/followed"));
        Assert.Null(new FileInfo($"{Local}/out/way").LinkTarget);
        Assert.True(Directory.Exists($"{Local}/out/way"));
    }

    [Fact]
    public void Owners_are_numbers_that_the_app_sees_or_all_are_roots()
    {
        Make("echo x >file; chown 1000:1001 file; echo y >far; chown 70000 far");
        var (_, uuid) = machine.StartShell("exec sleep 600", "--private-users");
        Copies($"{Local}/file", $"{uuid}:/tmp/kept");
        Copies("--archive=false", $"{Local}/file", $"{uuid}:/tmp/given");
        Assert.Equal("1000:1001\n0:0\n", In(uuid, "stat -c %u:%g /tmp/kept /tmp/given"));
        Refuses("far has the owner or group 70000, and the user namespace has only 65536 ids", $"{Local}/far", $"{uuid}:/tmp");
        Copies("--archive=false", $"{Local}/far", $"{uuid}:/tmp");
        Copies($"{uuid}:/tmp/kept", $"{Local}/kept");
        Copies("--archive=false", $"{uuid}:/tmp/kept", $"{Local}/given");
        Assert.Equal("1000:1001\n0:0\n", Make("stat -c %u:%g kept given"));
    }

    [Fact]
    public void Directories_are_filled_up_and_nothing_else_gives_way_to_another_kind()
    {
        Make("mkdir -p one/both one/new; echo 1 >one/both/first; echo 1 >one/kind; mkdir -p two/both two/kind; echo 2 >two/both/second; chmod 700 two/both");
        var uuid = Exited();
        Copies($"{Local}/one/.", $"{uuid}:/tmp");
        Refuses("kind is a directory, and what is in its place is none", $"{Local}/two/.", $"{uuid}:/tmp");
        Copies($"{uuid}:/tmp", $"{Local}/first");
        Assert.Equal("./both\n./both/first\n./kind\n./new\n", Make("cd first; find . -mindepth 1 | sort"));
        Copies("--overwrite", $"{Local}/two/.", $"{uuid}:/tmp");
        Copies($"{uuid}:/tmp", $"{Local}/second");
        Assert.Equal("./both 700\n./both/first 644\n./both/second 644\n./kind 755\n./new 755\n", Make("cd second; find . -mindepth 1 -printf '%p %m\\n' | sort"));
        Refuses("is a file, and what is copied is a directory", $"{Local}/two", $"{uuid}:/etc/passwd");
        Refuses("kind is no directory, and what is in its place is one", $"{Local}/one/kind", $"{uuid}:/tmp");
    }

    [Fact]
    public void Volumes_are_where_the_app_has_them()
    {
        Make("mkdir shared locked; echo s >shared/s; echo n >new; mkdir -p whole/v/deep; echo d >whole/v/deep/d");
        string[] flags = [$"--volume=v,kind=host,source={Local}/shared", $"--volume=l,kind=host,source={Local}/locked,readOnly=true", "--volume=e,kind=empty", "--mount=volume=v,target=/v", "--mount=volume=l,target=/l", "--mount=volume=e,target=/e"];
        foreach (var state in (string[])["prepared", "exited", "running"])
        {
            var uuid = InState(state, flags);
            Copies($"{Local}/new", $"{uuid}:/v/{state}");
            Copies($"{Local}/new", $"{uuid}:/e");
            Copies($"{uuid}:/v/s", $"{Local}/{state}");
            Refuses("nothing can be written there: EROFS", $"{Local}/new", $"{uuid}:/l");
            Copies($"{Local}/whole/.", $"{uuid}:/");
            Assert.Equal("d\n", File.ReadAllText($"{Local}/shared/deep/d"));
            Machine.Script(Local, "rm -r shared/deep");
            Copies($"{uuid}:/e/new", $"{Local}/from-empty");
        }

        Assert.Equal("exited\nprepared\nrunning\ns\n", Make("ls -A shared"));
        Assert.Equal("", Make("ls -A locked"));
    }

    [Fact]
    public void Archives_come_and_go_on_standard_input_and_output()
    {
        var (_, uuid) = machine.StartShell("exec sleep 600");
        Make("mkdir -p in/a; echo 1 >in/a/one; truncate -s 1M in/hole; ln -s a in/link");
        string nacelle = $"{Machine.Program} {string.Join(' ', machine.Flags)}";
        Make($"tar -C in -cS . | {nacelle} cp - {uuid}:/tmp; tar -C in -cz a | {nacelle} cp - {uuid}:/root");
        Assert.Equal("1\n1\n", In(uuid, "cat /tmp/link/one /root/a/one"));
        Assert.Equal("a/\na/one\n", Make($"{nacelle} cp {uuid}:/root/a - | tar -t"));
        Assert.Equal("a/\na/one\nhole\nlink\n", Make($"{nacelle} cp {uuid}:/tmp/. - | tar -t"));
        Assert.Equal("1048576\n", Make($"mkdir out; {nacelle} cp {uuid}:/tmp/hole - | tar -C out -x; stat -c %s out/hole"));
        Assert.True(Make($"{nacelle} cp {uuid}:/tmp/hole - | wc -c").Trim().Length < 6);
        Assert.Contains("no such file or directory", Make($"tar -C in -c . | {nacelle} cp - {uuid}:/nowhere 2>&1 || true"), StringComparison.Ordinal);
        Assert.Contains("cut off", Make($"tar -C in -c . | head -c 1000 | {nacelle} cp - {uuid}:/etc 2>&1 || true"), StringComparison.Ordinal);
        Assert.Equal("", In(uuid, "ls -d /etc/a /etc/.nacelle* 2>/dev/null || true"));
    }

    [Fact]
    public void The_kernels_files_are_read_by_name_and_left_out_of_trees()
    {
        var (_, uuid) = machine.StartShell("exec sleep 600");
        Copies($"{uuid}:/proc/version", $"{Local}");
        Assert.StartsWith("Linux version", File.ReadAllText(Local), StringComparison.Ordinal);
        File.Delete(Local);
        Copies($"{uuid}:/", Local);
        Assert.Equal("", Make("ls -A proc sys | grep -v : || true").Trim());
        Assert.Equal("root:x:0:0:root:/root:/bin/sh\n", Make("head -n 1 etc/passwd"));
    }

    [Fact]
    public void An_app_of_several_is_named_in_the_path_or_by_flag()
    {
        var file = $"{machine.Path}/uuid";
        machine.Nacelle("run", $"--uuid-file-save={file}", "--name=pair", TestImages.Busybox, "--name=one", "--", "sh", "-c", "echo 1 >/number", "---", TestImages.Busybox, "--name=two", "--", "sh", "-c", "echo 2 >/number; echo c >/a:b");
        Directory.CreateDirectory(Local);
        Copies("pair:two:/number", $"{Local}/2");
        Copies("--app=one", "pair:number", $"{Local}/1");
        Copies("--app=two", "pair:a:b", $"{Local}/c");
        Assert.Equal(("1\n", "2\n", "c\n"), (File.ReadAllText($"{Local}/1"), File.ReadAllText($"{Local}/2"), File.ReadAllText($"{Local}/c")));
        Refuses("say which by --app=one|two", "pair:/number", Local);
        Refuses("the pod has no app 'three', only one, two", "pair:three:/number", Local);
        Assert.Equal(3, Directory.GetFileSystemEntries(Local).Length);
    }

    [Fact]
    public void What_makes_no_sense_is_refused_in_one_line()
    {
        var uuid = Exited();
        Make("echo x >file; mkdir dir");
        Refuses("name what to copy, and where to", $"{uuid}:/x");
        Refuses("one of the two must be a path of a pod", $"{Local}/file", Local);
        Refuses("one of the two must be a path of this machine", $"{uuid}:/x", $"{uuid}:/y");
        Refuses("there is no pod 'no-such'", $"{Local}/file", "no-such:/x");
        Refuses($"{Local}/none: there is no such file or directory", $"{Local}/none", $"{uuid}:/tmp");
        Refuses($"{uuid}:/none/x: there is no such file or directory", $"{Local}/file", $"{uuid}:/none/x");
        Refuses($"{uuid}:/none/: there is no such file or directory", $"{Local}/file", $"{uuid}:/none/");
        Refuses($"{uuid}:/etc/passwd/x: a part of the path is no directory", $"{Local}/file", $"{uuid}:/etc/passwd/x");
        Refuses($"{Local}/file/.: a part of the path is no directory", $"{Local}/file/.", $"{uuid}:/tmp");
        Assert.Equal(0, machine.Nacelle("rm", uuid).ExitCode);
        Refuses($"there is no pod '{uuid}'", $"{Local}/file", $"{uuid}:/tmp");
    }
}
