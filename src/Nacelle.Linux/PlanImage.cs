using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>A plan in one piece, ready for launches, with the descriptors that it needs.</summary>
public sealed class PlanImage
{
    const int CellCount = 3;

    readonly byte[] bytes;
    readonly List<int> descriptors = [];

    /// <param name="bytes">What <see cref="LaunchPlan.ToBytes"/> made; trusted, as they name system calls to make.</param>
    public PlanImage(byte[] bytes) => this.bytes = bytes;

    /// <summary>The plan's descriptors have to stay open until it is launched.</summary>
    public PlanImage(LaunchPlan plan)
        : this(plan.ToBytes())
    {
        foreach (var descriptor in plan.Descriptors)
        {
            descriptors.Add(descriptor.Number);
        }
    }

    internal ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>As the runner reckons it: up to where the next plan begins.</summary>
    internal int Length => PlanLayout.Length(MemoryMarshal.Read<PlanLayout.Header>(bytes));

    /// <summary>What the process has to inherit beside its standard streams.</summary>
    internal IReadOnlyList<int> Descriptors => descriptors;

    /// <summary>Sets which of the launcher's descriptors the new program has as its standard input, output or error (0 to 2).</summary>
    public void SetStandard(int number, FileDescriptor descriptor)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, CellCount);
        int data = PlanLayout.HeaderSize + (MemoryMarshal.Read<PlanLayout.Header>(bytes).StepCount * PlanLayout.StepSize);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(data + (number * sizeof(long))), descriptor.Number); // every plan begins its data with three cells
        descriptors.Add(descriptor.Number);
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
