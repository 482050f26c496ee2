namespace Nacelle.Pods;

/// <summary>Stops running pods.</summary>
public static class PodStop
{
    /// <exception cref="PodException">The pod's stage1 could not do it; where it ran, it has said why on standard error.</exception>
    public static void Stop(Pod pod, bool force)
    {
        pod.AwaitProcessId();
        if (Stage1Call.Run(pod, "stop", force ? ["--force", pod.Uuid] : [pod.Uuid], patience: Stage1Call.Patience) != 0)
        {
            throw new PodException($"pod {pod.Uuid} could not be stopped");
        }
    }
}
