using Google.Protobuf;
using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Pods;
using Nacelle.Services.V1Alpha;
using Nacelle.Specs;
using App = Nacelle.Services.V1Alpha.App;
using Image = Nacelle.Services.V1Alpha.Image;
using Pod = Nacelle.Services.V1Alpha.Pod;
using State = Nacelle.Services.V1Alpha.PodState;

namespace Nacelle.Services;

/// <summary>Pods as the API tells of them.</summary>
static class PodMessages
{
    const int NoProcess = -1;

    /// <param name="image">Tells of an app's image; null without detail, when its name and id are enough.</param>
    public static Pod Of(FoundPod found, Func<Pods.Pod, PodApp, Image>? image)
    {
        var message = new Pod { Id = found.Pod.Uuid, State = StateOf(found.State), Pid = NoProcess };
        try
        {
            Describe(message, found, image);
        }
        catch (Exception problem) when (problem is KernelException or SpecException)
        {
            // Removed amid the question, or damaged: that it is there is still true, and others are listed beside it.
        }

        return message;
    }

    public static bool Matches(this Pod pod, PodFilter filter) =>
        (filter.Ids.Count == 0 || filter.Ids.Contains(pod.Id))
        && (filter.States.Count == 0 || filter.States.Contains(pod.State))
        && filter.AppNames.All(name => pod.Apps.Any(app => app.Name == name))
        && filter.ImageIds.All(id => pod.Apps.Any(app => app.Image.Id == id.Replace(':', '-')))
        && filter.NetworkNames.All(name => pod.Networks.Any(network => network.Name == name))
        && filter.Annotations.All(pod.Annotations.Contains)
        && (filter.Cgroups.Count == 0 || filter.Cgroups.Any(group => pod.Cgroup.Length > 0 && Rooted(group) == pod.Cgroup))
        && (filter.PodSubCgroups.Count == 0 || filter.PodSubCgroups.Any(group => pod.Cgroup.Length > 0 && (Rooted(group) + "/").StartsWith(pod.Cgroup + "/", StringComparison.Ordinal)));

    static void Describe(Pod message, FoundPod found, Func<Pods.Pod, PodApp, Image>? image)
    {
        var pod = found.Pod;
        if (pod.TryReadManifest() is not { } manifest)
        {
            return;
        }

        bool running = found.State == Pods.PodState.Running;
        message.Pid = running ? pod.ProcessId ?? NoProcess : NoProcess;
        message.CreatedAt = Nanoseconds(pod.Created);
        message.StartedAt = Nanoseconds(pod.Started);
        message.GcMarkedAt = Nanoseconds(pod.Marked);
        message.Cgroup = running ? CgroupOf(pod.Uuid) : "";
        message.Annotations.AddRange(KeyValues.Of(manifest.Annotations));
        message.Networks.AddRange((running ? PodNetworks.Read(pod.Directory) : []).Select(NetworkOf));
        message.Manifest = image is null ? ByteString.Empty : ByteString.CopyFrom(manifest.ToJson());
        message.Apps.AddRange(manifest.Apps.Select(app => AppOf(pod, app, running, image)));
    }

    static V1Alpha.Network NetworkOf(PodNetwork network) => new()
    {
        Name = network.Name,
        Ipv4 = AddressOf(network, four: true),
        Ipv6 = AddressOf(network, four: false),
    };

    static string AddressOf(PodNetwork network, bool four) => network.Addresses.Where(address => address.IsIPv4 == four).Select(address => address.Address.ToString()).FirstOrDefault("");

    static App AppOf(Pods.Pod pod, PodApp app, bool running, Func<Pods.Pod, PodApp, Image>? image)
    {
        var code = pod.ExitCodeOf(app.Name);
        var message = new App
        {
            Name = app.Name.ToString(),
            Image = image?.Invoke(pod, app) ?? new Image { Id = app.Image.Id, Name = app.Image.Name ?? "" },
            State = code is not null || (!running && pod.AppStarted(app.Name) is not null) ? AppState.Exited : running && pod.AppStarted(app.Name) is not null ? AppState.Running : AppState.Undefined,
            ExitCode = code ?? 0,
        };
        message.Annotations.AddRange(KeyValues.Of(app.Annotations));
        return message;
    }

    static State StateOf(Pods.PodState state) => state switch
    {
        Pods.PodState.Embryo => State.Embryo,
        Pods.PodState.Preparing => State.Preparing,
        Pods.PodState.AbortedPrepare => State.AbortedPrepare,
        Pods.PodState.Prepared => State.Prepared,
        Pods.PodState.Running => State.Running,
        Pods.PodState.Exited or Pods.PodState.ExitedGarbage => State.Exited,
        Pods.PodState.Garbage => State.Garbage,
        _ => State.Deleting,
    };

    static string CgroupOf(string uuid)
    {
        var layout = CgroupLayout.Detect();
        var path = $"{Cgroup.DefaultParent}/{uuid}";
        using var group = layout.Kind == CgroupKind.None ? null : Cgroup.TryOpen(layout, path);
        return group is null ? "" : path;
    }

    static string Rooted(string group) => "/" + group.Trim('/');

    static long Nanoseconds(DateTimeOffset? time) => time is { } then ? (then - DateTimeOffset.UnixEpoch).Ticks * 100 : 0;
}
