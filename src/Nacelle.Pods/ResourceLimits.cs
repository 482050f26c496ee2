using System.Globalization;
using System.Text.Json;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What the isolators of resources come to, for an app or for a pod as a whole.</summary>
/// <remarks>appc 0.8.11, spec/ace.md, "Resource Isolators"; <c>os/linux/cpu-shares</c> is rkt's, <c>os/linux/pids-limit</c> Nacelle's own.</remarks>
sealed record ResourceLimits
{
    /// <summary>In bytes.</summary>
    public long? Memory { get; private set; }

    /// <summary>What is left alone when memory is short, in bytes.</summary>
    public long? MemoryRequest { get; private set; }

    /// <summary>In thousandths of a processor.</summary>
    public long? Cpu { get; private set; }

    /// <summary>Against other groups.</summary>
    public ulong? CpuShares { get; private set; }

    public long? Pids { get; private set; }

    /// <summary>Read and written each, in bytes a second, of every disk.</summary>
    public long? BlockBandwidth { get; private set; }

    /// <summary>Reads and writes each, in a second, of every disk.</summary>
    public long? BlockOperations { get; private set; }

    /// <summary>Sent and received each, in bytes a second, on every device but the loopback.</summary>
    public long? NetworkBandwidth { get; private set; }

    ulong? sharesOfRequest;

    /// <returns>Whether it is an isolator of resources.</returns>
    /// <param name="at">Its place in the document, for messages.</param>
    public bool TryTake(Isolator isolator, string at)
    {
        var value = isolator.Value;
        switch (isolator.Name)
        {
            case "resource/memory":
                (MemoryRequest, Memory) = Amounts(value, at, Quantity.ParseWhole);
                return true;
            case "resource/cpu":
                (var request, Cpu) = Amounts(value, at, Quantity.ParseThousandths);
                sharesOfRequest = request is null ? null : (ulong)Math.Max(2, request.Value * 1024 / 1000); // as Kubernetes reckons a request
                return true;
            case "os/linux/cpu-shares":
                CpuShares = value.GetUInt64();
                return true;
            case "os/linux/pids-limit":
                Pids = value.GetInt64() is > 0 and var pids ? pids : throw new SpecException(at, "an app needs one process at least");
                return true;
            case "resource/block-bandwidth":
                BlockBandwidth = Default(value, at);
                return true;
            case "resource/block-iops":
                BlockOperations = Default(value, at);
                return true;
            case "resource/network-bandwidth":
                NetworkBandwidth = Default(value, at);
                return true;
            default:
                return false;
        }
    }

    public RuntimeResources ToRuntime()
    {
        const long Period = 100_000, SmallestQuota = 1000;
        var shares = CpuShares ?? sharesOfRequest;
        return new RuntimeResources
        {
            Memory = Memory is null && MemoryRequest is null ? null : new RuntimeMemory { Limit = Memory, Reservation = MemoryRequest },
            Cpu = Cpu is null && shares is null ? null : new RuntimeCpu
            {
                Shares = shares,
                Quota = Cpu is { } thousandths ? Math.Max(SmallestQuota, thousandths * Period / 1000) : null,
                Period = Cpu is null ? null : (ulong)Period,
            },
            Pids = Pids is { } pids ? new RuntimePids(pids) : null,
            BlockIo = BlockBandwidth is null && BlockOperations is null ? null : new RuntimeBlockIo
            {
                ThrottleReadBpsDevice = OfDisks(BlockBandwidth),
                ThrottleWriteBpsDevice = OfDisks(BlockBandwidth),
                ThrottleReadIopsDevice = OfDisks(BlockOperations),
                ThrottleWriteIopsDevice = OfDisks(BlockOperations),
            },
        };
    }

    /// <summary>Nothing is limited.</summary>
    public bool IsEmpty => this == new ResourceLimits();

    static (long? Request, long? Limit) Amounts(JsonElement value, string at, Func<string, string, long> parse)
    {
        var (request, limit) = (Amount(value, "request"), Amount(value, "limit"));
        return request is null && limit is null ? throw new KeyNotFoundException()
            : (request is null ? null : parse(request, at), limit is null ? null : parse(limit, at));
    }

    static long Default(JsonElement value, string at) =>
        value.TryGetProperty("default", out var isDefault) && isDefault.ValueKind == JsonValueKind.False ? throw new SpecException(at, "'default' must be true: the limit is for all devices")
        : Quantity.ParseWhole(Amount(value, "limit") ?? throw new KeyNotFoundException(), at) is > 0 and var limit ? limit
        : throw new SpecException(at, "the limit must be more than nothing");

    static string? Amount(JsonElement value, string name) =>
        !value.TryGetProperty(name, out var amount) ? null : amount.ValueKind == JsonValueKind.String ? amount.GetString()! : amount.GetRawText();

    /// <summary>Disks that hold something; those without a medium and unused loop devices have no size.</summary>
    static IReadOnlyList<RuntimeThrottleDevice> OfDisks(long? rate)
    {
        const string Block = "/sys/block";
        var disks = new List<RuntimeThrottleDevice>();
        foreach (var entry in rate is null ? [] : Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, Block))
        {
            var number = Files.TryReadText(FileDescriptor.WorkingDirectory, $"{Block}/{entry.Name}/dev")?.Trim().Split(':');
            if (number is [var major, var minor] && Files.TryReadText(FileDescriptor.WorkingDirectory, $"{Block}/{entry.Name}/size")?.Trim() != "0")
            {
                disks.Add(new RuntimeThrottleDevice(uint.Parse(major, CultureInfo.InvariantCulture), uint.Parse(minor, CultureInfo.InvariantCulture), (ulong)rate!.Value));
            }
        }

        return disks;
    }
}
