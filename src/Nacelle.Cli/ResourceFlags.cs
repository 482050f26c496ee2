using System.Globalization;
using System.Text.Json;
using Nacelle.CommandLine;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary>Flags of resources as isolators: an app's by their names, a pod's with "pod-" before them; and the kernel parameters of a pod.</summary>
static class ResourceFlags
{
    const string Prefix = "pod-";

    static readonly Option Parameter = new("sysctl", "NAME=VALUE", "set a kernel parameter of the pod's own network, IPC or UTS namespace");

    public static readonly IReadOnlyList<Option> OfPod =
    [
        new(Prefix + "memory", "BYTES", "limit the memory of all apps together"),
        new(Prefix + "cpu", "CPUS", "limit the processor time of all apps together"),
        new(Prefix + "cpu-shares", "SHARES", "weigh processor time against other pods (1024)"),
        new(Prefix + "pids-limit", "COUNT", "limit the processes and threads of all apps together"),
        new(Prefix + "block-bandwidth", "BYTES", "limit what all apps together read, and write, of every disk in a second"),
        new(Prefix + "block-iops", "COUNT", "limit the reads, and the writes, of all apps together of every disk in a second"),
        new(Prefix + "network-bandwidth", "BYTES", "limit what the pod sends, and receives, on each of its networks in a second"),
        Parameter,
    ];

    public static IReadOnlyList<Isolator> Read(Invocation invocation)
    {
        var isolators = new List<Isolator>();
        foreach (var option in OfPod)
        {
            if (option != Parameter && invocation.Value(option) is { } value)
            {
                isolators.Add(ToIsolator(option.Name[Prefix.Length..], value, $"--{option.Name}={value}"));
            }
        }

        var parameters = invocation.Values(Parameter).Select(pair => AppFlags.Pair(pair, $"--sysctl={pair}")).Select(pair => $"{Quote(pair.Name)}:{Quote(pair.Value)}").ToList();
        return parameters.Count == 0 ? isolators : [.. isolators, Isolator("os/unix/sysctl", $"{{{string.Join(',', parameters)}}}")];
    }

    /// <param name="name">Of an app's flag.</param>
    /// <param name="flag">As it was given, for messages.</param>
    public static Isolator ToIsolator(string name, string value, string flag) => name switch
    {
        "memory" => Isolator("resource/memory", CheckMemory(value, flag)),
        "cpu" => Isolator("resource/cpu", CheckCpu(value, flag)),
        "block-bandwidth" => Isolator("resource/block-bandwidth", Limit(value, flag)),
        "block-iops" => Isolator("resource/block-iops", Limit(value, flag)),
        "network-bandwidth" => Isolator("resource/network-bandwidth", Limit(value, flag)),
        _ => Isolator($"os/linux/{name}", uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? $"{number}" : throw new UserException($"{flag}: '{value}' is no number")),
    };

    public static Isolator Isolator(string name, string json) => new(name, JsonDocument.Parse(json).RootElement);

    /// <summary>A string in JSON.</summary>
    public static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    static string CheckMemory(string value, string flag) =>
        Quantity.ParseWhole(value, flag) >= 4096 ? $"{{\"limit\":{Quote(value)}}}"
            : throw new UserException($"{flag} is less than a page of memory: did you mean {value.TrimEnd('m')}M?");

    static string CheckCpu(string value, string flag) =>
        Quantity.ParseThousandths(value, flag) > 0 ? $"{{\"limit\":{Quote(value)}}}" : throw new UserException($"{flag}: an app needs some processor time");

    static string Limit(string value, string flag) =>
        Quantity.ParseWhole(value, flag) > 0 ? $"{{\"default\":true,\"limit\":{Quote(value)}}}" : throw new UserException($"{flag}: the limit must be more than nothing");
}
