using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>How a plan lies in memory: header, steps, data, and the places in the data that hold addresses, then those that hold descriptors. A multiple of 8 bytes.</summary>
/// <remarks>The runner is compiled from this file too: see Nacelle.Runner.</remarks>
static class PlanLayout
{
    public const int HeaderSize = 32, StepSize = 88;

    /// <summary>Stands in a step's place for the number of a call.</summary>
    public const int Require = -1, Decimal = -2;

    /// <summary>Of all.</summary>
    public static int Length(Header header) =>
        (HeaderSize + (header.StepCount * StepSize) + header.DataLength + ((header.RelocationCount + header.DescriptorCount) * 4) + 7) & ~7;

    [StructLayout(LayoutKind.Sequential, Size = HeaderSize)]
    public struct Header
    {
        public int StepCount, DataLength, RelocationCount, DescriptorCount;

        /// <summary>Index of the step that failed, or -1; written by the child.</summary>
        public int FailedStep;

        public int Errno;
    }

    [StructLayout(LayoutKind.Sequential, Size = StepSize)]
    public struct Step
    {
        public int Number, Operation;
        public uint Kinds;
        public ushort SkipOnFailure, SkipOnSuccess;
        public int Minimum;
        public ulong Tolerated;
        public long Result;
        public long A, B, C, D, E, F;
    }
}
