namespace Nacelle.Build.Tests;

public sealed class ReproducibilityTests : IDisposable
{
    readonly BuildMachine machine = new();

    [Theory]
    [InlineData("gzip", "oci")]
    [InlineData("zstd", "oci")]
    [InlineData("gzip", "docker")]
    public void The_same_input_gives_the_same_digest_with_SOURCE_DATE_EPOCH(string compression, string format)
    {
        var ids = new List<string>();
        for (int i = 0; i < 2; i++)
        {
            var context = machine.Context(i == 0 ? "echo a >a; echo b >b" : "echo b >b; sleep 0.01; echo a >a");
            File.WriteAllText(context + "/Containerfile", "FROM localhost/base\nCOPY a b /in/\nRUN date >/dev/null; mkdir /x; touch /x/z /x/a; rm /usr/share/data/old; ln /x/a /x/b\nWORKDIR /new\nENV A=b\n");
            var build = BuildMachine.Run(
                BuildMachine.Binaries + "/nacelle", ["build", "--no-cache", $"--dir={machine.Data}", $"--compression={compression}", $"--format={format}", context], ("SOURCE_DATE_EPOCH", "1000000000"));
            Assert.True(build.ExitCode == 0, build.ToString());
            ids.Add(build.Output);
            Thread.Sleep(1100); // so that clocks differ in seconds
        }

        Assert.Equal(ids[0], ids[1]);
    }

    [Fact]
    public void An_epoch_bounds_times_and_a_timestamp_sets_them()
    {
        var context = machine.Context("echo a >old; touch -d @500 old; echo b >new");
        const string Text = "FROM localhost/base\nCOPY old new /\nRUN touch /made\n";
        File.WriteAllText(context + "/Containerfile", Text);
        var epoch = BuildMachine.Run(BuildMachine.Binaries + "/nacelle", ["build", $"--dir={machine.Data}", "-t", "epoch", context], ("SOURCE_DATE_EPOCH", "1000000000"));
        Assert.True(epoch.ExitCode == 0, epoch.ToString());
        Assert.Equal("500 1000000000 1000000000\n", machine.In("epoch", "echo $(stat -c %Y /old /new /made)"));
        Assert.Equal(0, machine.Build(context, Text, "--timestamp=77", "-t", "stamped").ExitCode);
        Assert.Equal("77 77 77\n", machine.In("stamped", "echo $(stat -c %Y /old /new /made)"));
    }

    [Theory]
    [InlineData("--timestamp=-1", "--timestamp=-1: write seconds since 1970")]
    [InlineData("--timestamp=now", "--timestamp=now: write seconds since 1970")]
    public void A_time_that_is_none_is_refused(string flag, string message) =>
        Assert.Equal($"nacelle: {message}\n", machine.Build(machine.Context(), "FROM localhost/base\n", flag).Errors);

    public void Dispose() => machine.Dispose();
}
