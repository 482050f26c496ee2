using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Nacelle.Linux;

namespace Nacelle.Network.Tests;

/// <summary>A machine's network of a test's own: what runs in it has another network namespace than the machine, and other directories of leases and sockets.</summary>
static class NetworkHost
{
    /// <summary>Runs on a thread in new namespaces; the processes that it starts are in them too.</summary>
    public static void Run(Action body)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter();
                body();
            }
            catch (Exception problem)
            {
                failure = ExceptionDispatchInfo.Capture(problem);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    static void Enter()
    {
        const int CLONE_NEWNS = 0x20000, CLONE_NEWNET = 0x40000000;
        Assert.True(unshare(CLONE_NEWNS | CLONE_NEWNET) == 0, $"unshare: {Marshal.GetLastPInvokeErrorMessage()}");
        Shell.Run("mount --make-rprivate /; mount -t sysfs sysfs /sys; ip link set lo up; mkdir -p /var/lib/cni /run/cni; mount -t tmpfs none /var/lib/cni; mount -t tmpfs none /run/cni");
    }

#pragma warning disable SYSLIB1054 // generated calls need unsafe code, which only Nacelle.Linux may have
    [DllImport("libc", SetLastError = true)]
    static extern int unshare(int flags);
#pragma warning restore SYSLIB1054
}

static class Shell
{
    /// <summary>Runs a command in the calling thread's namespaces.</summary>
    /// <returns>What it printed, errors included.</returns>
    public static string Run(string command)
    {
        var (code, output) = TryRun(command);
        Assert.True(code == 0, $"{command}: {output}");
        return output;
    }

    public static (int Code, string Output) TryRun(string command)
    {
        var output = ProgramOutput.Of("/bin/sh", ["-c", $"exec 2>&1; {command}"], [], 1 << 20, TimeSpan.FromSeconds(60), default);
        return (output.Status.ShellCode, System.Text.Encoding.UTF8.GetString(output.Output));
    }
}

/// <summary>A network namespace as a pod has one, with a process in it.</summary>
sealed class PodNamespace : IDisposable
{
    readonly Process process;
    bool ended;

    public PodNamespace()
    {
        var plan = new LaunchPlan();
        plan.Call("unshare", SystemCall.unshare, (long)Namespaces.Network);
        plan.Call("exec", SystemCall.execve, plan.Text("/bin/sleep"), plan.TextArray(["sleep", "1000"]), plan.TextArray([]));
        process = Launcher.Start(plan);
    }

    public string Path => $"/proc/{process.Id}/ns/net";

    public string Run(string command) => Shell.Run($"nsenter --net={Path} {command}");

    public (int Code, string Output) TryRun(string command) => Shell.TryRun($"nsenter --net={Path} {command}");

    public void Dispose()
    {
        if (!ended)
        {
            ended = true;
            Processes.Kill(process.Id, Signal.Kill);
            process.Wait();
        }
    }
}
