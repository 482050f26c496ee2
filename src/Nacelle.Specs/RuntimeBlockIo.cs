namespace Nacelle.Specs;

/// <summary>A container's share of the block devices.</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md, "Block IO".</remarks>
public sealed record RuntimeBlockIo
{
    /// <summary>From 10 to 1000.</summary>
    public uint? Weight { get; init; }

    /// <summary>The weight of the group's own processes against its children's; the kernel has it no more.</summary>
    public uint? LeafWeight { get; init; }

    public IReadOnlyList<RuntimeWeightDevice> WeightDevice { get; init; } = [];

    /// <summary>Bytes in a second.</summary>
    public IReadOnlyList<RuntimeThrottleDevice> ThrottleReadBpsDevice { get; init; } = [];

    /// <summary>Bytes in a second.</summary>
    public IReadOnlyList<RuntimeThrottleDevice> ThrottleWriteBpsDevice { get; init; } = [];

    /// <summary>Operations in a second.</summary>
    public IReadOnlyList<RuntimeThrottleDevice> ThrottleReadIopsDevice { get; init; } = [];

    /// <summary>Operations in a second.</summary>
    public IReadOnlyList<RuntimeThrottleDevice> ThrottleWriteIopsDevice { get; init; } = [];
}

/// <summary>At least one of both weights, from 10 to 1000.</summary>
public sealed record RuntimeWeightDevice(uint Major, uint Minor, uint? Weight = null, uint? LeafWeight = null);

public sealed record RuntimeThrottleDevice(uint Major, uint Minor, ulong Rate);
