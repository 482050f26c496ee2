using Nacelle.CommandLine;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>app sandbox</c>: runs a pod without apps, to which they are added while it runs.</summary>
static class AppSandboxCommand
{
    static readonly Option Name = AppFlags.Name with { Summary = "the pod's name, by which it can be named as by its UUID" };
    static readonly Option Annotation = new("annotation", "NAME=VALUE", "add an annotation to the pod");
    static readonly Option UserAnnotation = new("user-annotation", "NAME=VALUE", "add a user annotation to the pod");
    static readonly Option UserLabel = new("user-label", "NAME=VALUE", "add a user label to the pod");

    public static readonly Command Definition = new(
        "app sandbox", "[FLAGS]", "run a pod without apps, which are added while it runs",
        [.. PodFlags.Surroundings, Detachment.Flag, PodFlags.UuidFile, Name, PodFlags.Volume, PortFlag.Flag, .. ResourceFlags.OfPod, PodFlags.NoOverlay, PodFlags.PrivateUsers, .. Stage1Selection.Flags, Annotation, UserAnnotation, UserLabel], Run)
    {
        Description = "The process becomes the pod, which stays until it is stopped, whatever its apps do. See app add, app start, app stop and app rm.",
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        bool detach = Detachment.IsWanted(invocation);
        if (invocation.Words.Count > 0)
        {
            throw new UserException("app sandbox takes no image: add apps by app add when it runs");
        }

        var options = PodFlags.ToRunOptions(invocation);
        var request = PodFlags.Common(invocation) with
        {
            Volumes = [.. invocation.Values(PodFlags.Volume).Select(volume => PodFlags.ParseVolume(volume, "--volume"))],
            Ports = PortFlag.Read(invocation),
            Annotations = [.. Pairs(invocation, Annotation), new Annotation(PodApps.MutableAnnotation, "true")],
            UserAnnotations = Map(Pairs(invocation, UserAnnotation)),
            UserLabels = Map(Pairs(invocation, UserLabel)),
        };
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var images = Images.ImageStore.Open(pods.Path);
        using var layers = PodPreparing.OpenLayers(pods);
        using var pod = PodPreparing.Prepare(invocation, pods, images, layers, request);
        PodPreparing.SaveUuid(invocation, pods, pod);
        return detach ? Detachment.Run(invocation, pods, pod) : PodRun.Run(pods, pod, options, PodPreparing.Warn);
    }

    static IEnumerable<Annotation> Pairs(Invocation invocation, Option option) =>
        invocation.Values(option).Select(pair => AppFlags.Pair(pair, $"--{option.Name}={pair}"));

    static Dictionary<string, string>? Map(IEnumerable<Annotation> pairs)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in pairs)
        {
            map[name] = value;
        }

        return map.Count > 0 ? map : null;
    }
}
