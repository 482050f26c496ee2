namespace Nacelle.Specs;

/// <summary>What a container's control group allows it. Null leaves a setting as it is.</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md, "Control groups".</remarks>
public sealed record RuntimeResources
{
    /// <summary>In the order in which they are applied.</summary>
    public IReadOnlyList<RuntimeDeviceRule> Devices { get; init; } = [];

    public RuntimeMemory? Memory { get; init; }

    public RuntimeCpu? Cpu { get; init; }

    public RuntimePids? Pids { get; init; }

    public RuntimeBlockIo? BlockIo { get; init; }

    public IReadOnlyList<RuntimeHugePageLimit> HugepageLimits { get; init; } = [];

    public RuntimeNetwork? Network { get; init; }

    /// <summary>By the name of the device.</summary>
    public IReadOnlyDictionary<string, RuntimeRdma>? Rdma { get; init; }

    /// <summary>What is written to files of the unified hierarchy, by their names.</summary>
    public IReadOnlyDictionary<string, string>? Unified { get; init; }

    /// <summary>Reads resources alone, as <c>update --resources</c> takes them.</summary>
    /// <param name="source">Where the text comes from, for messages.</param>
    /// <exception cref="SpecException">Not JSON, or not of the specification's shape; says where.</exception>
    public static RuntimeResources Parse(ReadOnlySpan<byte> json, string source) =>
        SpecNode.Parse(json, source, RuntimeConfigReader.ReadResources);

    /// <summary>As <see cref="RuntimeConfig.Check"/>, for resources alone.</summary>
    /// <exception cref="SpecException">The first rule that is broken.</exception>
    public void Check(string source) => RuntimeConfigCheck.In(source, this, resources => RuntimeConfigCheck.Resources(resources, ""));

    public byte[] ToJson() => SpecWriter.Write(this, RuntimeConfigWriter.WriteResources);
}

public sealed record RuntimeDeviceRule
{
    public bool Allow { get; init; }

    /// <summary>a (all), c or b; null stands for all.</summary>
    public string? Type { get; init; }

    /// <summary>Null stands for any.</summary>
    public long? Major { get; init; }

    public long? Minor { get; init; }

    /// <summary>Of r, w and m.</summary>
    public string? Access { get; init; }
}

/// <summary>In bytes; -1 is no limit.</summary>
public sealed record RuntimeMemory
{
    public long? Limit { get; init; }

    public long? Reservation { get; init; }

    /// <summary>Memory and swap together.</summary>
    public long? Swap { get; init; }

    /// <summary>Not recommended: the kernel has it no more.</summary>
    public long? Kernel { get; init; }

    /// <summary>Not recommended; version 1 of control groups.</summary>
    public long? KernelTcp { get; init; }

    /// <summary>From 0 to 100; version 1 of control groups.</summary>
    public ulong? Swappiness { get; init; }

    public bool? DisableOomKiller { get; init; }

    public bool? UseHierarchy { get; init; }

    /// <summary>Whether a limit below what is in use is refused, rather than kept by killing.</summary>
    public bool? CheckBeforeUpdate { get; init; }
}

/// <summary>Shares are relative; times are microseconds.</summary>
public sealed record RuntimeCpu
{
    public ulong? Shares { get; init; }

    /// <summary>Of each period; -1 is no limit.</summary>
    public long? Quota { get; init; }

    public ulong? Burst { get; init; }

    public ulong? Period { get; init; }

    public long? RealtimeRuntime { get; init; }

    public ulong? RealtimePeriod { get; init; }

    /// <summary>A list such as <c>0-3,7</c>.</summary>
    public string? Cpus { get; init; }

    /// <summary>Memory nodes, as a list such as <c>0-3,7</c>.</summary>
    public string? Mems { get; init; }

    /// <summary>1 makes the group as a whole SCHED_IDLE; 0 does not.</summary>
    public long? Idle { get; init; }
}

/// <param name="Limit">-1 is no limit; null leaves it.</param>
public sealed record RuntimePids(long? Limit);

/// <param name="PageSize">As the kernel names it: <c>2MB</c>.</param>
/// <param name="Limit">In bytes.</param>
public sealed record RuntimeHugePageLimit(string PageSize, ulong Limit);

/// <summary>Marks on what the container sends; version 1 of control groups.</summary>
public sealed record RuntimeNetwork
{
    public uint? ClassId { get; init; }

    public IReadOnlyList<RuntimeNetworkPriority> Priorities { get; init; } = [];
}

/// <param name="Name">A network interface of the host.</param>
public sealed record RuntimeNetworkPriority(string Name, uint Priority);

/// <summary>How much of an RDMA device a container may use; at least one of both.</summary>
public sealed record RuntimeRdma(uint? HcaHandles = null, uint? HcaObjects = null);
