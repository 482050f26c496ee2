using Nacelle.CommandLine;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary>The flags that a pod is prepared with, and those that it is run with.</summary>
static class PodFlags
{
    public static readonly Option Volume = new("volume", "NAME,kind=host|empty,…", "give the pod a volume: NAME,kind=host,source=PATH[,readOnly=true][,recursive=false] or NAME,kind=empty[,mode=0755][,uid=0][,gid=0]");
    public static readonly Option InheritEnvironment = new("inherit-env", null, "pass this environment to the apps, weaker than their images'");
    public static readonly Option SetEnvironment = new("set-env", "NAME=VALUE", "set a variable for all apps");
    public static readonly Option EnvironmentFile = new("set-env-file", "FILE", "set the variables of a file for all apps");
    public static readonly Option NoOverlay = new("no-overlay", null, "copy the images instead of mounting them as overlays");
    public static readonly Option PrivateUsers = new("private-users", null, "run the pod in a user namespace of its own");
    public static readonly Option PodManifest = new("pod-manifest", "FILE", "run what this appc pod manifest says");
    public static readonly Option PullPolicy = new("pull-policy", "new|update|never", "when to ask the registry (new: for what the store lacks)");
    public static readonly Option VerifyImages = new("verify-images", null, "read all files of the images before the pod runs, and refuse what has changed since it was unpacked");
    public static readonly Option Quiet = new("quiet", null, "print the UUID only");
    public static readonly Option UuidFile = new("uuid-file-save", "FILE", "write the pod's UUID to this file");
    public static readonly Option Hostname = new("hostname", "NAME", $"the pod's host name ({ProgramName.Text}-UUID)");
    public static readonly Option Interactive = new("interactive", null, "connect the app to this terminal; for one app");

    public static readonly IReadOnlyList<Option> Preparing =
        [
            Volume, PortFlag.Flag, InheritEnvironment, SetEnvironment, EnvironmentFile, .. ResourceFlags.OfPod, NoOverlay, PrivateUsers, PodManifest, PullPolicy, .. PullPolicyFlags.Older, VerifyImages,
            .. Stage1Selection.Flags, .. AppFlags.PerApp,
        ];

    /// <summary>What goes into a pod's manifest, and so cannot be said beside one.</summary>
    static IEnumerable<Option> SaidByManifest => [Volume, PortFlag.Flag, InheritEnvironment, SetEnvironment, EnvironmentFile, .. ResourceFlags.OfPod, AppFlags.Mount];

    public static readonly Option Processes = new("pid", "private|host", "the pod's processes: a PID namespace of its own, or the host's (private)");

    public static readonly Option Ipc = new("ipc", "auto|private|parent", "the pod's IPC namespace: its own (auto, private), or the host's (parent)");

    public static readonly Option LogDriver = new("log-driver", "auto|journald|k8s-file|none", "keep what apps write in files, which logs shows, and in the machine's journal, if there is one (auto)");

    /// <summary>What a pod finds around it.</summary>
    public static readonly IReadOnlyList<Option> Surroundings = [NetworkFlag.Flag, Hostname, Processes, Ipc, LogDriver, .. NameFlags.All];

    public static readonly Option RegisterMetadata = new("mds-register", null, "give the apps AC_METADATA_URL, where the metadata service answers them; needs --net=host");

    public static readonly IReadOnlyList<Option> Running = [.. Surroundings, Interactive, RegisterMetadata];

    public static PodRequest ToRequest(Invocation invocation)
    {
        var apps = AppFlags.ToRequests(invocation);
        if (invocation.Value(PodManifest) is { } file)
        {
            return apps.Count > 0 ? throw new UserException("--pod-manifest says all of the pod: name no image beside it")
                : SaidByManifest.FirstOrDefault(option => invocation.Value(option) is not null) is { } flag ? throw new UserException($"--{flag.Name} and --pod-manifest exclude each other: the manifest says all of the pod")
                : Common(invocation) with { Manifest = Specs.PodManifest.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, file), file) };
        }

        return Common(invocation) with
        {
            Apps = apps.Count > 0 ? apps : throw new UserException("name at least one image"),
            Volumes = [.. invocation.Values(Volume).Select(volume => ParseVolume(volume, "--volume"))],
            Mounts = AppFlags.CommonMounts(invocation),
            Ports = PortFlag.Read(invocation),
            InheritedEnvironment = invocation.Is(InheritEnvironment) ? [.. Linux.Processes.Environment().Where(IsTrueInPods).Select(variable => AppFlags.Pair(variable, "--inherit-env"))] : [],
            Environment = Environment(invocation),
        };
    }

    /// <summary>What is said of this process's standard error is not said of an app's.</summary>
    static bool IsTrueInPods(string variable) => !variable.StartsWith("JOURNAL_STREAM=", StringComparison.Ordinal);

    /// <summary>Variables for all apps; the flag is stronger than the file.</summary>
    public static IReadOnlyList<Annotation> Environment(Invocation invocation) =>
    [
        .. invocation.Values(EnvironmentFile).SelectMany(ReadEnvironmentFile),
        .. invocation.Values(SetEnvironment).Select(pair => AppFlags.Pair(pair, $"--set-env={pair}")),
    ];

    public static PodRunOptions ToRunOptions(Invocation invocation)
    {
        var networks = NetworkFlag.Read(invocation);
        return ToRelaxations(invocation) with
        {
            Network = networks.Network,
            Attachments = networks.Attachments,
            PluginPath = networks.PluginPath,
            LocalConfiguration = networks.LocalConfiguration,
            Hostname = invocation.Value(Hostname) is { } name ? CheckHostname(name) : null,
            Program = ProgramName.Text,
            Interactive = invocation.Is(Interactive),
            LogDriver = invocation.Value(LogDriver) is not { } driver ? null : LogDriver.Values.Contains(driver) ? driver
                : throw new UserException($"--log-driver={driver}: use {string.Join(", ", LogDriver.Values)}"),
            Names = NameFlags.Read(invocation),
            HostIpc = invocation.Value(Ipc) switch
            {
                null or "auto" or "private" => false,
                "parent" => true,
                var other => throw new UserException($"--ipc={other}: use auto, private or parent"),
            },
            HostProcesses = invocation.Value(Processes) switch
            {
                null or "private" => false,
                "host" => true,
                var other => throw new UserException($"--pid={other}: use private or host"),
            },
            MetadataService = !invocation.Is(RegisterMetadata) ? null
                : networks.Network is { IsHost: true } ? PodRegistration.FindService(GlobalFlags.DataDirectory(invocation))
                : throw new UserException("--mds-register needs --net=host: in a network of its own the pod does not reach the metadata service"),
        };
    }

    /// <summary>What --debug and --insecure-options say of how apps are run.</summary>
    public static PodRunOptions ToRelaxations(Invocation invocation) => new()
    {
        Debug = invocation.Is(GlobalFlags.Debug),
        AllCapabilities = GlobalFlags.IsInsecure(invocation, "capabilities"),
        NoPathRestrictions = GlobalFlags.IsInsecure(invocation, "paths"),
        NoSeccomp = GlobalFlags.IsInsecure(invocation, "seccomp"),
        Check = CheckOf(invocation),
    };

    public static PodRequest Common(Invocation invocation) => new()
    {
        Name = AppFlags.PodName(invocation),
        Isolators = ResourceFlags.Read(invocation),
        NoOverlay = invocation.Is(NoOverlay),
        PrivateUsers = invocation.Is(PrivateUsers),
        Check = CheckOf(invocation),
    };

    public static LayerCheck CheckOf(Invocation invocation) => GlobalFlags.IsInsecure(invocation, "ondisk") ? LayerCheck.None : LayerCheck.Seals;

    static string CheckHostname(string name) =>
        name.Length is > 0 and <= 64 && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.')
            ? name : throw new UserException($"--hostname={name}: use at most 64 letters, digits, '-' and '.'");

    /// <param name="flag">For messages.</param>
    public static PodVolume ParseVolume(string text, string flag)
    {
        var parts = text.Split(',');
        var volume = new PodVolume { Name = AppName.Parse(parts[0], flag), Kind = "" };
        foreach (var part in parts[1..])
        {
            int equals = part.IndexOf('=');
            var (name, value) = equals < 0 ? (part, "") : (part[..equals], part[(equals + 1)..]);
            volume = name switch
            {
                "kind" when value is "host" or "empty" => volume with { Kind = value },
                "source" => volume with { Source = value.StartsWith('/') ? value : throw new UserException($"{flag}={text}: the source is an absolute path") },
                "readOnly" when bool.TryParse(value, out bool readOnly) => volume with { ReadOnly = readOnly },
                "recursive" when bool.TryParse(value, out bool recursive) => volume with { Recursive = recursive },
                "mode" => volume with { Mode = value },
                "uid" when uint.TryParse(value, out uint uid) => volume with { Uid = uid },
                "gid" when uint.TryParse(value, out uint gid) => volume with { Gid = gid },
                _ => throw new UserException($"{flag}={text}: '{part}' is not understood; see nacelle help run"),
            };
        }

        return volume.Kind.Length > 0 && (volume.Kind == "empty" || volume.Source is not null) ? volume
            : throw new UserException($"{flag}={text}: write NAME,kind=host,source=/PATH or NAME,kind=empty");
    }

    /// <summary>NAME=VALUE lines; empty lines and those that begin with # or ; are passed over.</summary>
    static IEnumerable<Annotation> ReadEnvironmentFile(string path)
    {
        var text = Files.TryReadText(FileDescriptor.WorkingDirectory, path) ?? throw new UserException($"--set-env-file={path}: there is no such file");
        int number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (line.Length > 0 && line[0] is not ('#' or ';'))
            {
                yield return AppFlags.Pair(line, $"{path}, line {number}");
            }
        }
    }
}
