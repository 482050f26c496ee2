using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>A plan in one piece, ready for launches, with the descriptors that it needs; they have to stay open until it is launched.</summary>
/// <param name="bytes">What <see cref="LaunchPlan.ToBytes"/> made; trusted, as they name system calls to make.</param>
public sealed class PlanImage(byte[] bytes)
{
    /// <summary>Every plan begins its data with the cells of standard input, output and error.</summary>
    const int StandardCount = 3;

    public PlanImage(LaunchPlan plan)
        : this(plan.ToBytes())
    {
    }

    internal ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>As the runner reckons it: up to where the next plan begins.</summary>
    internal int Length => PlanLayout.Length(Header);

    /// <summary>What the process has to inherit, its standard streams among it.</summary>
    internal IEnumerable<int> Descriptors
    {
        get
        {
            for (int i = 0; i < StandardCount + Header.DescriptorCount; i++)
            {
                yield return (int)BinaryPrimitives.ReadInt64LittleEndian(Cell(i));
            }
        }
    }

    /// <summary>Sets which of the launcher's descriptors the new program has as its standard input, output or error (0 to 2).</summary>
    public void SetStandard(int number, FileDescriptor descriptor)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, StandardCount);
        BinaryPrimitives.WriteInt64LittleEndian(Cell(number), descriptor.Number);
    }

    /// <summary>Says under which numbers this process holds the descriptors that the plan was built with.</summary>
    /// <param name="numberHere">From the builder's number.</param>
    public void Rename(Func<int, int> numberHere)
    {
        for (int i = StandardCount; i < StandardCount + Header.DescriptorCount; i++)
        {
            var cell = Cell(i);
            BinaryPrimitives.WriteInt64LittleEndian(cell, numberHere((int)BinaryPrimitives.ReadInt64LittleEndian(cell)));
        }
    }

    /// <summary>As <see cref="LaunchPlan.ToBytes"/>.</summary>
    public void WriteTo(BinaryWriter writer)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }

    public static PlanImage ReadFrom(BinaryReader reader) => new(reader.ReadBytes(reader.ReadInt32()));

    PlanLayout.Header Header => MemoryMarshal.Read<PlanLayout.Header>(bytes);

    /// <summary>The standard cells first, then those of the plan's descriptors.</summary>
    Span<byte> Cell(int index)
    {
        var header = Header;
        var data = bytes.AsSpan(PlanLayout.HeaderSize + (header.StepCount * PlanLayout.StepSize));
        var table = data[(header.DataLength + (header.RelocationCount * sizeof(int)))..];
        int offset = index < StandardCount ? index * sizeof(long) : BinaryPrimitives.ReadInt32LittleEndian(table[((index - StandardCount) * sizeof(int))..]);
        return data.Slice(offset, sizeof(long));
    }

    /// <summary>The step that failed, in an image that was launched; null when none did.</summary>
    internal static KernelException? FailureIn(ReadOnlySpan<byte> image)
    {
        var header = MemoryMarshal.Read<PlanLayout.Header>(image);
        if (header.FailedStep < 0)
        {
            return null;
        }

        var step = MemoryMarshal.Read<PlanLayout.Step>(image[(PlanLayout.HeaderSize + (header.FailedStep * PlanLayout.StepSize))..]);
        var operation = image[(PlanLayout.HeaderSize + (header.StepCount * PlanLayout.StepSize) + step.Operation)..];
        return new KernelException(System.Text.Encoding.UTF8.GetString(operation[..operation.IndexOf((byte)0)]), (Errno)header.Errno);
    }
}
