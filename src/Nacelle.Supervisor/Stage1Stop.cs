using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>Stage1's <c>stop</c>: asks the pod's PID 1 to end the apps, or ends everything at once.</summary>
static class Stage1Stop
{
    public static int Stop(string[] arguments)
    {
        bool force = arguments.Contains("--force") || arguments.Contains("--force=true");
        int pid = PodProcess.Number ?? throw new Stage1Exception("the pod has no PID 1 yet");
        using var process = Processes.TryOpen(pid);
        var failure = process is null ? Errno.ESRCH : Processes.Kill(process, force ? Signal.Kill : Signal.Terminate);
        return failure is Errno.None or Errno.ESRCH ? 0 : throw new KernelException($"signal the pod's PID 1 ({pid})", failure);
    }
}
