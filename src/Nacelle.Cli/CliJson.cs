using System.Text.Json.Serialization;
using Nacelle.CommandLine;

namespace Nacelle.Cli;

/// <summary>A pod in rkt's JSON (api/v1/json.go): the UUID is called name; the pod's times are seconds, its apps' nanoseconds.</summary>
sealed record PodJson([property: JsonPropertyName("name")] string Uuid, string State)
{
    public string? PodName { get; init; }

    public IReadOnlyList<NetworkJson> Networks { get; init; } = [];

    public IReadOnlyList<string> AppNames { get; init; } = [];

    public IReadOnlyList<AppJson> Apps { get; init; } = [];

    public long? CreatedAt { get; init; }

    public long? StartedAt { get; init; }

    public IReadOnlyDictionary<string, string>? UserAnnotations { get; init; }

    public IReadOnlyDictionary<string, string>? UserLabels { get; init; }
}

sealed record AppJson(string Name, string State)
{
    public long? CreatedAt { get; init; }

    public long? StartedAt { get; init; }

    public long? FinishedAt { get; init; }

    public int? ExitCode { get; init; }

    public string ImageId { get; init; } = "";

    public IReadOnlyList<MountJson> Mounts { get; init; } = [];

    public IReadOnlyDictionary<string, string>? UserAnnotations { get; init; }

    public IReadOnlyDictionary<string, string>? UserLabels { get; init; }
}

/// <param name="Name">The volume's.</param>
sealed record MountJson(string Name, string ContainerPath, string HostPath, bool ReadOnly);

/// <summary>A network of a pod's as rkt's net-info.json has it, and what that lacks: all addresses, and the hardware's.</summary>
sealed record NetworkJson(
    [property: JsonPropertyName("netName")] string Name, [property: JsonPropertyName("netConf")] string Source, [property: JsonPropertyName("pluginPath")] string PluginPath,
    [property: JsonPropertyName("ifName")] string InterfaceName, string Ip, string Args)
{
    public IReadOnlyList<string> Addresses { get; init; } = [];

    public IReadOnlyList<string> Gateways { get; init; } = [];

    public string? Mac { get; init; }

    public IReadOnlyList<string> Nameservers { get; init; } = [];

    public IReadOnlyList<PortJson> Ports { get; init; } = [];
}

/// <summary>A network that pods can have.</summary>
/// <param name="Pods">The UUIDs of those that are attached to it.</param>
sealed record NetworkConfigurationJson(string Name, string Source, IReadOnlyList<string> Plugins, IReadOnlyList<string> Pods);

/// <summary>A port of the host that leads into the pod.</summary>
sealed record PortJson(string Protocol, int HostPort, int PodPort, string? HostIp);

/// <summary>An image in rkt's JSON; times are nanoseconds.</summary>
sealed record ImageJson(string Id, string Name, long ImportTime, long LastUsedTime, long Size);

/// <summary>Something that has happened; the time in nanoseconds.</summary>
sealed record EventJson(long Time, string Event, string Pod)
{
    public string? App { get; init; }

    public int? ExitCode { get; init; }
}

/// <summary>What an app uses.</summary>
sealed record UsageJson([property: JsonPropertyName("pod")] string Uuid, string App)
{
    public double? CpuPercent { get; init; }

    public long? CpuNanoseconds { get; init; }

    public long? MemoryBytes { get; init; }

    public long? MemoryLimitBytes { get; init; }

    public long? Pids { get; init; }

    public long? ReadBytes { get; init; }

    public long? WrittenBytes { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PodJson))]
[JsonSerializable(typeof(PodJson[]))]
[JsonSerializable(typeof(AppJson))]
[JsonSerializable(typeof(UsageJson[]))]
[JsonSerializable(typeof(EventJson))]
[JsonSerializable(typeof(AppJson[]))]
[JsonSerializable(typeof(ImageJson[]))]
[JsonSerializable(typeof(NetworkConfigurationJson[]))]
sealed partial class CliJson : JsonSerializerContext
{
    public static CliJson For(Format format) => new(Formats.Options(format, Default.GeneratedSerializerOptions!));
}
