using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>prepare</c>: makes a pod that is run later, by <c>run-prepared</c>.</summary>
static class PrepareCommand
{
    public static readonly Command Definition = new(
        "prepare", "[FLAGS] IMAGE [IMAGE'S FLAGS] [-- ARGUMENT… [---]] …", "prepare a pod to be run later", [PodFlags.Quiet, .. PodFlags.Preparing], Run)
    {
        Description = "Prints the pod's UUID.",
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        var request = PodFlags.ToRequest(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var images = ImageStore.Open(pods.Path);
        using var layers = PodPreparing.OpenLayers(pods);
        using var pod = PodPreparing.Prepare(invocation, pods, images, layers, request);
        Output.Line(pod.Uuid);
        return 0;
    }
}
