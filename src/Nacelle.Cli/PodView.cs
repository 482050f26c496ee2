using System.Globalization;
using Nacelle.Network;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary>An app as <c>list</c> and <c>status</c> show it.</summary>
sealed record AppView(string Name, string State, string ImageName, string ImageId)
{
    public DateTimeOffset? Created { get; init; }

    public DateTimeOffset? Started { get; init; }

    public DateTimeOffset? Finished { get; init; }

    public int? ExitCode { get; init; }

    /// <summary>How often the app was started again.</summary>
    public int Restarts { get; init; }

    public IReadOnlyList<AppMount> Mounts { get; init; } = [];

    public IReadOnlyDictionary<string, string>? UserAnnotations { get; init; }

    public IReadOnlyDictionary<string, string>? UserLabels { get; init; }
}

/// <summary>A pod as <c>list</c> and <c>status</c> show it: all that is asked of its directory, asked once.</summary>
sealed record PodView(string Uuid, string State, DateTimeOffset? Created, DateTimeOffset? Started, int? Pid, IReadOnlyList<AppView> Apps)
{
    public string? Name { get; init; }

    /// <summary>Those that a pod that runs is attached to.</summary>
    public IReadOnlyList<PodNetwork> Networks { get; init; } = [];

    /// <summary>As rkt shows them: <c>default:ip4=172.16.28.2</c>, and with the address of IPv6 behind it.</summary>
    public string NetworksText => string.Join(", ", Networks.Select(network =>
        $"{network.Name}:{string.Join(',', network.Addresses.Select(address => $"{(address.IsIPv4 ? "ip4" : "ip6")}={address.Address}"))}"));

    public IReadOnlyDictionary<string, string>? UserAnnotations { get; init; }

    public IReadOnlyDictionary<string, string>? UserLabels { get; init; }

    public bool Exited => State is "exited" or "exited garbage" or "exited deleting";

    public bool Running => State == "running";

    /// <param name="brief">Without the states and times of apps: with a thousand pods their files take longer to look at than all the rest.</param>
    public static PodView Of(FoundPod found, bool brief = false)
    {
        var pod = found.Pod;
        bool running = found.State == PodState.Running;
        var manifest = pod.TryReadManifest();
        var apps = manifest?.Apps.Select(app =>
        {
            if (brief)
            {
                return new AppView(app.Name.ToString(), "unknown", app.Image.Name ?? "", app.Image.Id);
            }

            var code = pod.ExitCodeOf(app.Name);
            var started = pod.AppStarted(app.Name);
            var state = code is not null ? "exited" : running && started is not null ? "running" : found.State == PodState.Prepared || running ? "created" : "unknown";
            return new AppView(app.Name.ToString(), state, app.Image.Name ?? "", app.Image.Id)
            {
                Created = pod.AppCreated(app.Name),
                Started = started,
                Finished = pod.AppFinished(app.Name),
                ExitCode = code,
                Restarts = pod.RestartsOf(app.Name),
                Mounts = [.. AppVolumes.Describe(manifest, app, pod.Path)],
                UserAnnotations = app.App?.UserAnnotations,
                UserLabels = app.App?.UserLabels,
            };
        });
        return new PodView(pod.Uuid, found.State.Name(), pod.Created, pod.Started, running ? pod.ProcessId : null, [.. apps ?? []])
        {
            Name = pod.Name,
            Networks = running ? PodNetworks.Read(pod.Directory) : [],
            UserAnnotations = manifest?.UserAnnotations,
            UserLabels = manifest?.UserLabels,
        };
    }

    public PodJson ToJson() => new(Uuid, State)
    {
        PodName = Name,
        Networks = [.. Networks.Select(ToJson)],
        AppNames = [.. Apps.Select(app => app.Name)],
        Apps =
        [
            .. Apps.Select(app => new AppJson(app.Name, app.State)
            {
                CreatedAt = Nanoseconds(app.Created),
                StartedAt = Nanoseconds(app.Started),
                FinishedAt = Nanoseconds(app.Finished),
                ExitCode = app.ExitCode,
                ImageId = app.ImageId,
                Mounts = [.. app.Mounts.Select(mount => new MountJson(mount.Volume, mount.Path, mount.HostPath, mount.ReadOnly))],
                UserAnnotations = app.UserAnnotations,
                UserLabels = app.UserLabels,
            }),
        ],
        CreatedAt = Created?.ToUnixTimeSeconds(),
        StartedAt = Started?.ToUnixTimeSeconds(),
        UserAnnotations = UserAnnotations,
        UserLabels = UserLabels,
    };

    static NetworkJson ToJson(PodNetwork network) => new(
        network.Name, network.Source, network.PluginPath, network.InterfaceName,
        network.Addresses.Where(address => address.IsIPv4).Select(address => address.Address.ToString()).FirstOrDefault(""), network.Arguments)
    {
        Addresses = [.. network.Addresses.Select(address => address.ToString())],
        Gateways = [.. network.Gateways.Select(gateway => gateway.ToString())],
        Mac = network.Mac,
        Nameservers = network.Dns.Nameservers,
        Ports = [.. network.Ports.Select(port => new PortJson(port.Protocol, port.HostPort, port.ContainerPort, port.HostIp))],
    };

    /// <summary>As rkt prints times: local, with milliseconds and the zone.</summary>
    public static string TimeText(DateTimeOffset? time) =>
        time is { } then ? then.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss.fff zz'00'", CultureInfo.InvariantCulture) + (then.ToLocalTime().Offset == TimeSpan.Zero ? " UTC" : "") : "";

    static long? Nanoseconds(DateTimeOffset? time) => time is { } then ? (then - DateTimeOffset.UnixEpoch).Ticks * 100 : null;
}
