using System.Diagnostics;
using Nacelle.Linux;

namespace Nacelle.Oci.Tests;

/// <summary>nacelle-oci may be killed at any instant: what is left is found by its id and removed.</summary>
public sealed class CrashTests : IDisposable
{
    readonly OciMachine machine = new();

    public void Dispose() => machine.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Whatever_is_killed_at_any_moment_can_be_deleted(bool hasUsers)
    {
        var bundle = machine.Shell("sleep 1000").With(one =>
        {
            if (hasUsers)
            {
                one.SetUsers();
            }
        });
        var random = new Random(4711);
        List<string> ids = [];
        for (int round = 0; round < 40; round++)
        {
            var id = OciMachine.NewId();
            ids.Add(id);
            string[] arguments = (round % 5) switch
            {
                0 or 1 => ["create", $"--bundle={bundle.Path}", id],
                2 => ["run", $"--bundle={bundle.Path}", id],
                3 => ["start", Prepared("create", bundle, id)],
                _ => ["exec", Prepared("run", bundle, id, "--detach"), "/bin/sleep", "1000"],
            };
            KillAfter(random.Next(0, 15_000), arguments);
            if (round % 4 == 0)
            {
                KillAfter(random.Next(0, 10_000), "delete", "--force", id);
            }
        }

        foreach (var id in ids)
        {
            var deleted = machine.Oci("delete", "--force", id);
            Assert.True(deleted.ExitCode == 0, deleted.ToString());
        }

        Assert.Equal("", machine.Oci("list", "--quiet").Output);
        Assert.Empty(Directory.GetFileSystemEntries(machine.Root));
        OciMachine.Eventually(() => !OciMachine.ProcessesOf(machine.Path).Any(), "all processes of the containers end");
        Assert.DoesNotContain(OciMachine.Groups(), group => ids.Contains(Path.GetFileName(group)));
        var again = machine.RunBundle(bundle.With(one => one.Process["args"] = new System.Text.Json.Nodes.JsonArray("/bin/echo", "still here")));
        Assert.True(again.Output == "still here\n", again.ToString());
    }

    string Prepared(string command, Bundle bundle, string id, params string[] options)
    {
        var made = machine.Background(OciMachine.Program, [$"--root={machine.Root}", command, $"--bundle={bundle.Path}", .. options, id]);
        Assert.True(made.ExitCode == 0, made.ToString());
        return id;
    }

    void KillAfter(int microseconds, params string[] arguments)
    {
        var info = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$0\" \"$@\" </dev/null >/dev/null 2>&1", OciMachine.Program, $"--root={machine.Root}", .. arguments]);
        using var process = System.Diagnostics.Process.Start(info)!;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalMicroseconds < microseconds;)
        {
            Thread.SpinWait(50);
        }

        Processes.Kill(process.Id, Signal.Kill);
        process.WaitForExit();
    }
}
