using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>A plan at its place in memory, addresses filled in, to be run by this process or by a child that shares its memory.</summary>
sealed unsafe partial class LoadedPlan : IDisposable
{
    readonly byte* start;
    readonly nint size;

    public LoadedPlan(PlanImage image)
    {
        const int ReadAndWrite = 3, MAP_PRIVATE_ANONYMOUS = 0x22;
        size = image.Bytes.Length;
        nint address = mmap(0, size, ReadAndWrite, MAP_PRIVATE_ANONYMOUS, -1, 0);
        if (address == -1)
        {
            Call.Throw("mmap", "launch plan");
        }

        start = (byte*)address;
        // SAFETY: the mapping is as long as the image, and LaunchPlan.ToBytes keeps all offsets in it.
        image.Bytes.CopyTo(new Span<byte>(start, (int)size));
        PlanSteps.Relocate(start);
    }

    /// <summary>Why the run ended, or null when it did not fail.</summary>
    public KernelException? Failure => PlanImage.FailureIn(new ReadOnlySpan<byte>(start, (int)size));

    /// <summary>See <see cref="PlanSteps.Run"/>.</summary>
    public bool Run() => PlanSteps.Run(start);

    public void Dispose() => _ = munmap((nint)start, size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nint length);
}
