namespace Nacelle.EndToEnd.Tests;

/// <summary><c>gc</c>: what is marked, what is kept for how long, and what crashed commands have left.</summary>
public sealed class GarbageTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    string Prepare() => machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--", "true").Output.Trim();

    string Collect(params string[] flags)
    {
        var collect = machine.Nacelle(["gc", .. flags]);
        Assert.True(collect is { ExitCode: 0, Errors: "" }, collect.ToString());
        return collect.Output;
    }

    string StateOf(string uuid) => machine.Nacelle("status", uuid).Output.Split('\n')[0];

    [Fact]
    public void Exited_pods_are_marked_kept_for_the_grace_period_and_removed()
    {
        var uuid = Prepare();
        machine.Nacelle("run-prepared", uuid);
        Assert.Equal($"Moving pod \"{uuid}\" to garbage\n", Collect());
        Assert.Equal("state=exited garbage", StateOf(uuid));
        Assert.Equal("", Collect("--grace-period=1h"));
        Assert.Equal("", Collect("--mark-only", "--grace-period=0s"));
        Assert.Equal($"Garbage collecting pod \"{uuid}\"\n", Collect("--grace-period=0s"));
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void Prepared_pods_expire()
    {
        var uuid = Prepare();
        Assert.Equal("", Collect("--grace-period=0s"));
        Assert.Equal("", Collect("--expire-prepared=1h30m"));
        Assert.Equal("state=prepared", StateOf(uuid));
        Assert.Contains($"Moving pod \"{uuid}\" to garbage\n", Collect("--expire-prepared=0s", "--mark-only"), StringComparison.Ordinal);
        Assert.Equal("state=garbage", StateOf(uuid));
        Assert.Equal($"Garbage collecting pod \"{uuid}\"\n", Collect());
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void A_pod_that_runs_is_never_touched()
    {
        var (_, uuid) = machine.StartShell("sleep 600");
        Assert.Equal("", Collect("--grace-period=0s", "--expire-prepared=0s"));
        Assert.Equal("state=running", StateOf(uuid));
    }

    [Fact]
    public void What_dead_commands_have_left_is_found_in_every_state()
    {
        foreach (var place in (string[])["embryo", "prepare", "exited-garbage", "garbage"])
        {
            var uuid = Prepare();
            Directory.CreateDirectory($"{machine.Data}/pods/{place}");
            Directory.Move($"{machine.Data}/pods/prepared/{uuid}", $"{machine.Data}/pods/{place}/{uuid}");
        }

        var list = machine.Nacelle("list", "--no-legend").Output;
        Assert.All(["embryo", "aborted prepare", "exited garbage", "garbage"], state => Assert.Contains($"\t{state}", list, StringComparison.Ordinal));
        Collect("--grace-period=0s");
        Assert.Empty(machine.Pods());
    }

    [Theory]
    [InlineData("--grace-period=soon")]
    [InlineData("--expire-prepared=-1h")]
    [InlineData("--grace-period=1")]
    public void Durations_are_checked(string flag)
    {
        var collect = machine.Nacelle("gc", flag);
        Assert.Equal((254, $"nacelle: {flag}: write a duration, as in 30m or 1h30m\n"), (collect.ExitCode, collect.Errors));
    }

    [Fact]
    public async Task Removing_and_collecting_do_not_mind_those_who_look()
    {
        for (int round = 0; round < 5; round++)
        {
            string[] uuids = [.. Enumerable.Range(0, 4).Select(_ => Prepare())];
            using var over = new CancellationTokenSource();
            var looks = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
            {
                while (!over.IsCancellationRequested)
                {
                    var list = machine.Nacelle("list");
                    Assert.True(list is { ExitCode: 0, Errors: "" }, list.ToString());
                }
            })).ToArray();
            foreach (var uuid in uuids)
            {
                var remove = machine.Nacelle("rm", uuid);
                Assert.True(remove.ExitCode == 0, remove.ToString());
            }

            await over.CancelAsync();
            await Task.WhenAll(looks);
        }

        Assert.Empty(machine.Pods());
    }
}
