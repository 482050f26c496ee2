using System.Buffers.Binary;

namespace Nacelle.Images;

/// <summary>Moves owners into the range that a user namespace maps: id 0 becomes <paramref name="First"/>, and so on for <paramref name="Count"/> ids.</summary>
/// <remarks>For kernels and file systems without idmapped mounts. See user_namespaces(7).</remarks>
public readonly record struct OwnerShift(uint First, uint Count)
{
    /// <summary>Everybody stays who they are.</summary>
    public static readonly OwnerShift None = new(0, uint.MaxValue);

    /// <returns>False when the range has no such id.</returns>
    public bool TryApply(uint id, out uint shifted)
    {
        shifted = id + First;
        return id < Count && shifted >= id && shifted != uint.MaxValue;
    }

    /// <summary>The id that <see cref="TryApply"/> makes this one of.</summary>
    /// <returns>False when it lies outside the range.</returns>
    public bool TryUndo(uint shifted, out uint id)
    {
        id = shifted - First;
        return shifted >= First && id < Count;
    }

    /// <summary>File capabilities name the root user of the namespace in which they count; without a name they count outside only.</summary>
    /// <remarks>capabilities(7), "Namespaced file capabilities": version 2 has 20 bytes, version 3 the root user's id behind them.</remarks>
    public byte[] ApplyToCapability(byte[] value)
    {
        const uint VersionMask = 0xFF000000, Version2 = 0x02000000, Version3 = 0x03000000;
        if (First == 0 || value.Length != 20 || (BinaryPrimitives.ReadUInt32LittleEndian(value) & VersionMask) != Version2)
        {
            return value;
        }

        var shifted = new byte[24];
        value.CopyTo(shifted, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(shifted, (BinaryPrimitives.ReadUInt32LittleEndian(value) & ~VersionMask) | Version3);
        BinaryPrimitives.WriteUInt32LittleEndian(shifted.AsSpan(20), First);
        return shifted;
    }
}
