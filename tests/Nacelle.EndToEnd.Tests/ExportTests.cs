using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;

namespace Nacelle.EndToEnd.Tests;

/// <summary>Apps of pods that have ended, written as images.</summary>
public sealed class ExportTests : IDisposable
{
    const string Change = "echo made >/made; chown 1000:1001 /made; chmod 640 /made; rm /bin/head; rm -r /usr/bin; mkdir -p /etc/new; echo x >>/etc/passwd; ln -s made /link; ln /made /hard; echo volume >/v/inside";

    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    string Aci => $"{machine.Path}/out.aci";

    string RunAndFind(string script, params string[] flags)
    {
        var file = $"{machine.Path}/uuid";
        var run = machine.Nacelle(["run", $"--uuid-file-save={file}", "--volume=v,kind=empty", .. flags, TestImages.Busybox, "--mount=volume=v,target=/v", "--exec=/bin/sh", "--", "-c", script]);
        Assert.True(run.ExitCode == 0, run.ToString());
        return File.ReadAllText(file).Trim();
    }

    Dictionary<string, TarEntry> Read()
    {
        using var tar = new TarReader(new GZipStream(File.OpenRead(Aci), CompressionMode.Decompress));
        var entries = new Dictionary<string, TarEntry>(StringComparer.Ordinal);
        while (tar.GetNextEntry(copyData: true) is { } entry)
        {
            entries[entry.Name.TrimEnd('/')] = entry;
        }

        return entries;
    }

    static string Text(TarEntry entry) => new StreamReader(entry.DataStream!).ReadToEnd();

    [Theory]
    [InlineData]
    [InlineData("--no-overlay")]
    [InlineData("--private-users")]
    [InlineData("--private-users", "--no-overlay")]
    public void The_image_has_the_app_s_files_as_it_left_them(params string[] flags)
    {
        var uuid = RunAndFind(Change, flags);
        var export = machine.Nacelle("export", uuid, Aci);
        Assert.True(export is { ExitCode: 0, Output: "", Errors: "" }, export.ToString());
        var entries = Read();
        Assert.Equal("made\n", Text(entries["rootfs/hard"])); // the first of two links, by name
        Assert.Equal((1000, 1001, (UnixFileMode)0x1A0), (entries["rootfs/made"].Uid, entries["rootfs/made"].Gid, entries["rootfs/made"].Mode));
        Assert.Equal((0, TarEntryType.SymbolicLink), (entries["rootfs/bin/sh"].Uid, entries["rootfs/bin/sh"].EntryType));
        Assert.Equal(("made", TarEntryType.SymbolicLink), (entries["rootfs/link"].LinkName, entries["rootfs/link"].EntryType));
        Assert.Equal(("rootfs/hard", TarEntryType.HardLink), (entries["rootfs/made"].LinkName, entries["rootfs/made"].EntryType));
        Assert.EndsWith("x\n", Text(entries["rootfs/etc/passwd"]), StringComparison.Ordinal);
        foreach (var gone in (string[])["rootfs/bin/head", "rootfs/usr/bin", "rootfs/v/inside", "rootfs/etc/hosts", "rootfs/etc/hostname", "rootfs/etc/mtab", "changes", "nothing"])
        {
            Assert.DoesNotContain(gone, entries.Keys);
        }

        Assert.Equal(entries.Keys.Order(StringComparer.Ordinal), entries.Keys.Order(StringComparer.Ordinal).Where(name => name == "manifest" || name == "rootfs" || name.StartsWith("rootfs/", StringComparison.Ordinal)));
        Assert.Contains("state=exited\n", machine.Nacelle("status", uuid).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_exported_is_an_image_that_runs()
    {
        var uuid = RunAndFind("echo kept >/kept");
        Assert.Equal(0, machine.Nacelle("export", uuid, Aci).ExitCode);
        var manifest = JsonDocument.Parse(Text(Read()["manifest"])).RootElement;
        Assert.Equal(("ImageManifest", "/bin/sh"), (manifest.GetProperty("acKind").GetString(), manifest.GetProperty("app").GetProperty("exec")[0].GetString()));
        var run = machine.Nacelle("--insecure-options=image", "run", Aci, "--exec=/bin/cat", "--", "/kept");
        Assert.True(run is { ExitCode: 0, Output: "kept\n" }, run.ToString());
    }

    [Fact]
    public void An_app_of_several_is_named_and_a_file_is_only_replaced_on_demand()
    {
        var file = $"{machine.Path}/uuid";
        machine.Nacelle("run", $"--uuid-file-save={file}", TestImages.Busybox, "--name=one", "--", "sh", "-c", "echo 1 >/number", "---", TestImages.Busybox, "--name=two", "--", "sh", "-c", "echo 2 >/number");
        Assert.Contains("say which by --app=one|two", machine.Nacelle("export", File.ReadAllText(file).Trim(), Aci).Errors, StringComparison.Ordinal);
        Assert.Contains("the pod has no app 'three'", machine.Nacelle("export", "--app=three", $"--uuid-file={file}", Aci).Errors, StringComparison.Ordinal);
        Assert.Equal(0, machine.Nacelle("export", "--app=two", $"--uuid-file={file}", Aci).ExitCode);
        Assert.Equal("2\n", Text(Read()["rootfs/number"]));
        var again = machine.Nacelle("export", "--app=one", $"--uuid-file={file}", Aci);
        Assert.Equal((254, $"nacelle: {Aci} exists; --overwrite replaces it\n"), (again.ExitCode, again.Errors));
        Assert.Equal(0, machine.Nacelle("export", "--overwrite", "--app=one", $"--uuid-file={file}", Aci).ExitCode);
        Assert.Equal("1\n", Text(Read()["rootfs/number"]));
    }

    [Fact]
    public void What_still_runs_or_never_ran_cannot_be_exported()
    {
        var (_, running) = machine.StartShell("sleep 600");
        var prepared = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--", "true").Output.Trim();
        foreach (var (uuid, state) in (ReadOnlySpan<(string, string)>)[(running, "running"), (prepared, "prepared")])
        {
            var export = machine.Nacelle("export", uuid, Aci);
            Assert.Equal((254, $"nacelle: pod {uuid} is {state}, not exited: only what does not change any more can be exported\n"), (export.ExitCode, export.Errors));
        }

        Assert.False(File.Exists(Aci));
        Assert.Equal((254, "nacelle: export: name a pod and the file to write\n"), machine.Nacelle("export", running) is var one ? (one.ExitCode, one.Errors) : default);
    }
}
