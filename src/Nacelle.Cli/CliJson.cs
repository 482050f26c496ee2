using System.Text.Json.Serialization;
using Nacelle.CommandLine;

namespace Nacelle.Cli;

/// <summary>A pod in rkt's JSON (api/v1/json.go): the UUID is called name; the pod's times are seconds, its apps' nanoseconds.</summary>
sealed record PodJson([property: JsonPropertyName("name")] string Uuid, string State)
{
    public string? PodName { get; init; }

    public IReadOnlyList<string> Networks { get; init; } = [];

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
sealed partial class CliJson : JsonSerializerContext
{
    public static CliJson For(Format format) => new(Formats.Options(format, Default.GeneratedSerializerOptions!));
}
