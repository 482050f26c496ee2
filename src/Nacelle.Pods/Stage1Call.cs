using Nacelle.Linux;

namespace Nacelle.Pods;

/// <summary>Runs a pod's stage1 entry points other than <c>run</c>, each with the pod directory as its working directory.</summary>
static class Stage1Call
{
    /// <summary>Runs an entry point and waits for it.</summary>
    /// <returns>Its exit code.</returns>
    public static int Run(Pod pod, string verb, IReadOnlyList<string> arguments, Specs.AppName? crossing = null)
    {
        var program = $"{pod.Path}/{Stage1.EntryPoint(Stage1.ReadManifest(pod), verb)}";
        var plan = new LaunchPlan();
        plan.Call($"enter {pod.Path}", SystemCall.chdir, plan.Text(pod.Path));
        plan.Call("unblock signals", SystemCall.rt_sigprocmask, 2, plan.Bytes(stackalloc byte[8]), 0, 8);
        plan.Call($"exec {program}", SystemCall.execve, plan.Text(program), plan.TextArray([program, .. arguments]), plan.TextArray(Processes.Environment()));
        return Launcher.Start(plan).Wait().ShellCode;
    }

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    public static void Become(Pod pod, string verb, IReadOnlyList<string> arguments, Specs.AppName? crossing = null)
    {
        var program = Stage1.EntryPoint(Stage1.ReadManifest(pod), verb);
        Environment.CurrentDirectory = pod.Path;
        throw Processes.Execute(program, [program, .. arguments], Processes.Environment());
    }
}

/// <summary>Stops running pods.</summary>
public static class PodStop
{
    /// <exception cref="PodException">The pod's stage1 could not do it; it has said why on standard error.</exception>
    public static void Stop(Pod pod, bool force)
    {
        if (Stage1Call.Run(pod, "stop", force ? ["--force", pod.Uuid] : [pod.Uuid]) != 0)
        {
            throw new PodException($"pod {pod.Uuid} could not be stopped");
        }
    }
}

/// <summary>Enters running pods.</summary>
public static class PodEnter
{
    /// <summary>Runs a command in an app of the pod, in the place of this process; returns only by an exception.</summary>
    public static void Enter(Pod pod, string app, IReadOnlyList<string> command)
    {
        var program = Stage1.EntryPoint(Stage1.ReadManifest(pod), "enter");
        Environment.CurrentDirectory = pod.Path;
        throw Processes.Execute(program, [program, $"--pid={pod.ProcessId}", $"--appname={app}", "--", .. command], Processes.Environment());
    }
}
