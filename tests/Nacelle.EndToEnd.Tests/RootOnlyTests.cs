namespace Nacelle.EndToEnd.Tests;

/// <summary>Commands that only root may use say so, and change nothing.</summary>
public sealed class RootOnlyTests : IDisposable
{
    const string Uuid = "12345678-1234-1234-1234-123456789012";

    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Theory]
    [InlineData("run", "image")]
    [InlineData("prepare", "image")]
    [InlineData("run-prepared", Uuid)]
    [InlineData("enter", Uuid)]
    [InlineData("attach", Uuid)]
    [InlineData("gc")]
    [InlineData("rm", Uuid)]
    [InlineData("stop", Uuid)]
    [InlineData("export", Uuid, "/nowhere/out.aci")]
    [InlineData("app exec", Uuid)]
    [InlineData("app sandbox")]
    [InlineData("build", "/")]
    public void An_unprivileged_user_is_told(string command, params string[] words)
    {
        var result = Machine.Run("/usr/bin/setpriv", ["--reuid=65534", "--clear-groups", Machine.Program, $"--dir={machine.Data}", .. command.Split(' '), .. words]);
        Assert.SkipWhen(result.Errors.Contains("failed to execute", StringComparison.Ordinal), "the executables are not readable for others here");
        Assert.Equal((254, "", $"nacelle: {command}: cannot run as unprivileged user: /etc/subuid and /etc/subgid have no ranges for user 65534\n"), (result.ExitCode, result.Output, result.Errors));
        Assert.False(Directory.Exists(machine.Data));
    }
}
