namespace Nacelle.Linux;

/// <summary>Limits for one block device, per second; 0 for no limit, null stays as it is.</summary>
public readonly record struct BlockIoLimit(DeviceNumber Device, ulong? ReadBytes = null, ulong? WriteBytes = null, ulong? Reads = null, ulong? Writes = null);

/// <summary>The share of one block device's time, 10 to 1000; null stays as it is.</summary>
/// <param name="LeafWeight">See <see cref="CgroupLimits.BlockIoLeafWeight"/>.</param>
public readonly record struct BlockIoWeight(DeviceNumber Device, ushort? Weight, ushort? LeafWeight = null);

/// <summary>The most huge pages of one size: of reservations where the kernel counts them (Linux 5.7), and of pages in use.</summary>
/// <param name="PageSize">As the kernel names it: <c>2MB</c>, <c>1GB</c>.</param>
/// <param name="Bytes">The most that may be used.</param>
public readonly record struct HugePageLimit(string PageSize, ulong Bytes);

/// <summary>The priority of what the group sends through one network device.</summary>
public readonly record struct NetworkPriority(string Interface, uint Priority);

/// <summary>The most handles and objects of one adapter for remote memory access; null stays as it is.</summary>
public readonly record struct RdmaLimit(string Device, uint? Handles, uint? Objects);

/// <summary>A limit that could not be set, and why, as in <c>memory.max: the 'memory' controller is not available</c>.</summary>
/// <param name="Limit">The file that it would have been written to; <c>devices</c> for access to devices.</param>
/// <param name="Errno">What the kernel said: EACCES, EPERM or EROFS where the caller may not; ENOENT for a missing controller or limit.</param>
public readonly record struct UnsetLimit(string Limit, string Reason, Errno Errno)
{
    public override string ToString() => $"{Limit}: {Reason}";
}
