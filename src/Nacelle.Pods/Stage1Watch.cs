using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Stage0 beside a stage1 of which it is not known that it speaks for itself: passes signals on, and tells when no pod comes of it.</summary>
/// <remarks>Such a stage1 is a child of the process that a person or a unit started; ours take that process over.</remarks>
static class Stage1Watch
{
    const int PR_SET_PDEATHSIG = 1, SIG_SETMASK = 2, Step = 100;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Runs stage1 to its end.</summary>
    /// <returns>Its exit code, which is the pod's.</returns>
    /// <exception cref="PodException">It ended, or its time was over, before it told where the pod's PID 1 is.</exception>
    public static int Run(Pod pod, AppImageManifest stage1, string program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, Action<string> warn)
    {
        Signals.BlockOnAllThreads();
        var plan = new LaunchPlan();
        plan.Call("die with stage0", SystemCall.prctl, PR_SET_PDEATHSIG, (int)Signal.Kill);
        plan.Call("unblock signals", SystemCall.rt_sigprocmask, SIG_SETMASK, plan.Bytes(stackalloc byte[8]), 0, 8);
        plan.Call($"exec {program}", SystemCall.execve, plan.Text(program), plan.TextArray([program, .. arguments]), plan.TextArray(environment));
        var process = Launcher.Start(plan);
        pod.WriteStage1Process(process.Id);
        bool started = false, hung = false;
        long deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        int code = ProcessRelay.Until(process, null, wait: entries =>
        {
            started = started || pod.HasStarted;
            if (!started && !hung && Environment.TickCount64 >= deadline)
            {
                hung = true;
                Processes.Kill(process.Id, Signal.Kill);
            }

            Polling.Wait(entries, started || hung ? -1 : Step);
        }).ShellCode;
        Signals.UnblockAll();
        if (pod.HasStarted)
        {
            return code;
        }

        PodCollection.HaveStage1Collect(pod, warn);
        PodCollection.DetachMounts(pod.Path);
        throw new PodException(hung
            ? $"the stage1 {stage1.Name} has written neither pid nor ppid in {Patience.TotalSeconds} seconds: it was killed, and the pod removed"
            : $"the stage1 {stage1.Name} ended with code {code} and wrote neither pid nor ppid: the pod is removed");
    }
}
