using System.Text.Json;

namespace Nacelle.EndToEnd.Tests;

/// <summary>Linked under the name rkt, nacelle is a drop-in: rkt's directories, rkt's way to speak, the same exit codes and forms of output.</summary>
public sealed class RktNameTests : IDisposable
{
    readonly Machine machine = new();

    public RktNameTests() => File.CreateSymbolicLink(Link, Machine.Program);

    public void Dispose() => machine.Dispose();

    string Link => $"{machine.Path}/rkt";

    Result Rkt(params string[] arguments) => Machine.Run(Link, [.. machine.Flags, .. arguments]);

    [Fact]
    public void Pods_run_and_are_told_as_before()
    {
        Assert.Equal("hello\n", Rkt("run", TestImages.Busybox, "--exec=/bin/echo", "--", "hello").Output);
        Assert.Equal(7, Rkt("run", TestImages.Busybox, "--exec=/bin/sh", "--", "-c", "exit 7").ExitCode);
        Assert.Equal(machine.Nacelle("list").Output, Rkt("list").Output);
        Assert.Equal(2, Rkt("list", "--no-legend").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData("status: there is no pod 'abcdef'", "status", "abcdef")]
    [InlineData("list: --order=x: use asc or desc", "image", "list", "--order=x")]
    [InlineData("fetch: image not found: open /no/such.aci: ENOENT", "fetch", "/no/such.aci")]
    [InlineData("rkt: there is no command 'fly'; see rkt help", "fly")]
    public void Errors_begin_with_the_command(string line, params string[] arguments)
    {
        var result = Rkt(arguments);
        Assert.Equal(254, result.ExitCode);
        Assert.StartsWith(line, Assert.Single(result.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public void Pods_are_called_by_its_name()
    {
        Assert.Matches("^rkt-[0-9a-f]{8}-[-0-9a-f]{27}\n$", Rkt("run", TestImages.Busybox, "--exec=/bin/hostname").Output);
        Assert.Matches("^nacelle-[0-9a-f]{8}-[-0-9a-f]{27}\n$", machine.Nacelle("run", TestImages.Busybox, "--exec=/bin/hostname").Output);
        Assert.Equal("mine\n", Rkt("run", "--hostname=mine", TestImages.Busybox, "--exec=/bin/hostname").Output);
    }

    [Fact]
    public void Its_files_are_where_rkt_had_them()
    {
        Assert.Contains("/var/lib/rkt", Rkt("help").Output, StringComparison.Ordinal);
        Assert.Contains("/etc/rkt", Rkt("fetch", "--help").Output, StringComparison.Ordinal); // which another executable says
        var config = JsonDocument.Parse(Machine.Run(Link, $"--system-config={machine.Path}/none", $"--local-config={machine.Path}/none", "config").Output).RootElement;
        Assert.Equal("/var/lib/rkt", config.GetProperty("stage0")[0].GetProperty("data").GetString());
    }

    [Fact]
    public void It_says_which_rkt_it_stands_for()
    {
        Assert.Matches(@"^rkt Version: 1\.30\.0\+nacelle-\d+\.\d+\.\d+\nappc Version: 0\.8\.11\n", Rkt("version").Output);
        Assert.StartsWith("NAME:\n\trkt run - ", Rkt("help", "run").Output, StringComparison.Ordinal);
        Assert.Contains("complete -F _rkt rkt", Rkt("completion", "bash").Output, StringComparison.Ordinal);
        Assert.Equal(2, Rkt().ExitCode);
    }
}
