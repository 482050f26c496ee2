using System.Diagnostics;

namespace Nacelle.Build.Tests;

public sealed class BuildCrashTests : IDisposable
{
    const string Text = """
        FROM localhost/base
        COPY tree /tree
        RUN sleep 0.1; cp -r /tree /tree2; echo done >/one
        COPY --from=localhost/base /etc /etc2
        RUN --mount=type=cache,target=/c sleep 0.1; echo x >>/c/x; rm -r /tree
        WORKDIR /a/b/c
        """;

    readonly BuildMachine machine = new();
    readonly string context;

    public BuildCrashTests()
    {
        context = machine.Context("mkdir tree; for i in $(seq 200); do head -c 20000 /dev/urandom >tree/$i; done");
        File.WriteAllText(context + "/Containerfile", Text);
    }

    [Fact]
    public void Killed_at_any_moment_a_build_leaves_nothing_that_the_next_or_collecting_trips_over()
    {
        var random = new Random(4711);
        for (int i = 0; i < 12; i++)
        {
            using var build = Process.Start(BuildMachine.Prepare(BuildMachine.Binaries + "/nacelle", ["build", "--no-cache", $"--dir={machine.Data}", "-t", "crash", context]))!;
            build.StandardInput.Close();
            _ = build.StandardOutput.ReadToEndAsync();
            _ = build.StandardError.ReadToEndAsync();
            Thread.Sleep(random.Next(0, 900));
            build.Kill();
            build.WaitForExit();
        }

        Settle();
        var whole = machine.Build(context, Text, "-t", "crash");
        Assert.True(whole.ExitCode == 0, whole.ToString());
        Assert.Equal("done /a/b/c 200\n", machine.In("crash", "echo $(cat /one) $(pwd) $(ls /tree2 | wc -l)"));
        var collected = machine.Nacelle("gc", "--grace-period=0s", "--expire-prepared=0s");
        Assert.True(collected.ExitCode == 0, collected.ToString());
        machine.RequireNothingLeft();
        Assert.Equal("", BuildMachine.Shell("/", $"find /sys/fs/cgroup -path '*nacelle*' -newer {context}/Containerfile -type d -name build 2>/dev/null || :"));
        BuildMachine.Shell(machine.Data, "cd images/blobs/sha256; sha256sum * | awk '$1 != $2 { print; bad = 1 } END { exit bad }'");
    }

    [Fact]
    public void Interrupted_a_build_ends_with_its_command_and_leaves_nothing()
    {
        File.WriteAllText(context + "/Containerfile", "FROM localhost/base\nRUN echo started; sleep 321\n");
        using var build = Process.Start(BuildMachine.Prepare(BuildMachine.Binaries + "/nacelle", ["build", $"--dir={machine.Data}", context]))!;
        build.StandardInput.Close();
        while (build.StandardError.ReadLine() is { } line && line != "started")
        {
        }

        BuildMachine.Shell("/", $"kill -INT {build.Id}");
        var rest = build.StandardError.ReadToEnd();
        build.WaitForExit();
        Assert.Equal(130, build.ExitCode);
        Assert.EndsWith("nacelle: interrupted; the steps that were finished are in the cache\n", rest, StringComparison.Ordinal);
        machine.RequireNothingLeft();
        Assert.DoesNotContain(BuildMachine.CommandLines(), line => line.Contains("sleep\0321", StringComparison.Ordinal));
    }

    /// <summary>What killed builds have started ends at once, but not within their own end: waits until nobody works in the data directory any more.</summary>
    void Settle()
    {
        for (int i = 0; BuildMachine.CommandLines().Any(line => line.Contains(machine.Data, StringComparison.Ordinal)) || machine.Nacelle("list", "--no-legend").Output.Contains("running", StringComparison.Ordinal); i++)
        {
            Assert.True(i < 1000, $"still at work after {i} looks: {string.Join('\n', BuildMachine.CommandLines())}");
            Thread.Sleep(20);
        }
    }

    public void Dispose() => machine.Dispose();
}
