using System.Diagnostics.CodeAnalysis;

namespace Nacelle.Pods;

/// <summary>Enters running pods.</summary>
public static class PodEnter
{
    /// <summary>Runs a command in an app of the pod, in the place of this process; returns only by an exception.</summary>
    [DoesNotReturn]
    public static void Enter(Pod pod, string app, IReadOnlyList<string> command) =>
        Stage1Call.Become(pod, "enter", [$"--pid={pod.AwaitProcessId()}", $"--appname={app}", "--", .. command]);
}
