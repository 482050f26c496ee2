using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>run</c>: fetches what is missing, prepares a pod and becomes it.</summary>
static class RunCommand
{
    public static readonly Command Definition = new(
        "run", "[FLAGS] IMAGE [IMAGE'S FLAGS] [-- ARGUMENT… [---]] …", "run images in a pod",
        [.. PodFlags.Running, Detachment.Flag, PodFlags.UuidFile, .. PodFlags.Preparing], Run)
    {
        Description = "The process becomes the pod and ends with the first exit code of its apps that is not 0; 254 is an error of nacelle's own.\nFlags of an app follow its image; -- begins the app's arguments, --- ends them.",
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        bool detach = Detachment.IsWanted(invocation);
        var options = PodFlags.ToRunOptions(invocation);
        var request = PodFlags.ToRequest(invocation);
        if (options.Interactive && (request.Manifest?.Apps.Count ?? request.Apps.Count) > 1)
        {
            throw new UserException("--interactive is for one app: the pod has several");
        }

        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var images = ImageStore.Open(pods.Path);
        using var layers = PodPreparing.OpenLayers(pods);
        using var pod = PodPreparing.Prepare(invocation, pods, images, layers, request);
        PodPreparing.SaveUuid(invocation, pods, pod);
        return detach ? Detachment.Run(invocation, pods, pod) : PodRun.Run(pods, pod, options, PodPreparing.Warn);
    }
}
