using System.Diagnostics;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>A network namespace of a test's own, gone with its last device when it is disposed.</summary>
sealed class TestNetwork : IDisposable
{
    public TestNetwork()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/ip") || File.Exists("/sbin/ip"), "needs iproute2");
        var plan = new LaunchPlan();
        plan.Call("unshare", SystemCall.unshare, (long)Namespaces.Network);
        plan.Call("exec", SystemCall.execve, plan.Text("/bin/sleep"), plan.TextArray(["sleep", "1000"]), plan.TextArray([]));
        var process = Launcher.Start(plan);
        Descriptor = Files.Open($"/proc/{process.Id}/ns/net", OpenFlags.ReadOnly);
        Processes.Kill(process.Id, Signal.Kill);
        process.Wait();
    }

    public FileDescriptor Descriptor { get; }

    public void Dispose() => Descriptor.Dispose();

    public void Run(Action action) => NetworkNamespace.Run(Descriptor, action);

    public NetlinkSocket Open() => NetlinkSocket.Open(Descriptor);

    public string Ip(string command) => Shell($"ip {command}");

    /// <summary>What a command in the namespace prints.</summary>
    public string Shell(string command)
    {
        var (code, output) = Try(command);
        Assert.True(code == 0, $"{command}: {output}");
        return output;
    }

    public (int Code, string Output) Try(string command)
    {
        using var process = System.Diagnostics.Process.Start(
            new ProcessStartInfo("/usr/bin/nsenter", [$"--net=/proc/{Environment.ProcessId}/fd/{Descriptor.Number}", "/bin/sh", "-c", $"({command}) 2>&1"])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
