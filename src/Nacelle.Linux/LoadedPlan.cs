using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

/// <summary>A plan at its place in memory, addresses filled in, ready for one launch.</summary>
/// <remarks>The memory is shared (mmap MAP_SHARED), so that a child reports its failing step even when it runs in a copy of the parent's memory.</remarks>
public sealed unsafe partial class LoadedPlan : IDisposable
{
    const int CellCount = 3;

    readonly byte* start;
    readonly nint size;

    LoadedPlan(byte* start, nint size)
    {
        this.start = start;
        this.size = size;
    }

    internal PlanLayout.Header* Header => (PlanLayout.Header*)start;

    PlanLayout.Step* Steps => (PlanLayout.Step*)(start + PlanLayout.HeaderSize);

    byte* Data => start + PlanLayout.HeaderSize + (Header->StepCount * PlanLayout.StepSize);

    /// <summary>Loads what <see cref="LaunchPlan.ToBytes"/> made; the bytes are trusted, as they name system calls to make.</summary>
    /// <param name="file">
    /// A new file to keep the plan in, or null for memory without a name: from a file a process that knows neither launcher nor child can learn
    /// why the child ended (<see cref="ReadFailure"/>).
    /// </param>
    public static LoadedPlan Load(ReadOnlySpan<byte> image, FileDescriptor? file = null)
    {
        const int MAP_SHARED = 1, MAP_ANONYMOUS = 0x20;
        if (file is not null)
        {
            Files.SetLength(file, image.Length);
        }

        nint start = mmap(0, image.Length, 3, file is null ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, file?.Number ?? -1, 0);
        if (start == -1)
        {
            Call.Throw("mmap", "launch plan");
        }

        var plan = new LoadedPlan((byte*)start, image.Length);
        // SAFETY: the mapping is as long as the image; offsets come from LaunchPlan.ToBytes, which keeps them within the data.
        image.CopyTo(new Span<byte>((byte*)start, image.Length));
        byte* data = plan.Data;
        var relocations = (int*)(data + plan.Header->DataLength);
        for (int i = 0; i < plan.Header->RelocationCount; i++)
        {
            *(long*)(data + relocations[i]) += (nint)data;
        }

        return plan;
    }

    /// <summary>Sets which of the launcher's descriptors the new program has as its standard input, output or error (0 to 2).</summary>
    public void SetStandard(int number, FileDescriptor descriptor)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, CellCount);
        // SAFETY: every plan begins its data with three cells.
        ((long*)Data)[number] = descriptor.Number;
    }

    /// <summary>Why the child ended before its exec, from the file that its plan was loaded into; null when no step failed.</summary>
    public static KernelException? ReadFailure(FileDescriptor file)
    {
        var image = Files.ReadToEnd(file);
        return image.Length < PlanLayout.HeaderSize ? null : FailureIn(image);
    }

    /// <summary>Why the child ended before its exec, or null when it did not.</summary>
    /// <remarks>Only says anything once the child has exec'd or ended.</remarks>
    public KernelException? Failure => FailureIn(new ReadOnlySpan<byte>(start, (int)size));

    static KernelException? FailureIn(ReadOnlySpan<byte> image)
    {
        var header = MemoryMarshal.Read<PlanLayout.Header>(image);
        if (header.FailedStep < 0)
        {
            return null;
        }

        var step = MemoryMarshal.Read<PlanLayout.Step>(image[(PlanLayout.HeaderSize + (header.FailedStep * PlanLayout.StepSize))..]);
        var operation = image[(PlanLayout.HeaderSize + (header.StepCount * PlanLayout.StepSize) + step.Operation)..];
        return new KernelException(Encoding.UTF8.GetString(operation[..operation.IndexOf((byte)0)]), (Errno)header.Errno);
    }

    /// <summary>Runs the steps on the calling thread until one fails. Allocates nothing, takes no lock, throws nothing.</summary>
    /// <returns>Whether all went well.</returns>
    internal bool Run()
    {
        var steps = Steps;
        byte* data = Data;
        int count = Header->StepCount;
        for (int i = 0; i < count; i++)
        {
            var step = &steps[i];
            if (step->Number == PlanLayout.Require)
            {
                // SAFETY: the address was made by this plan, which keeps it within the data.
                if ((*(ulong*)(data + step->A) & (ulong)step->B) == (ulong)step->C)
                {
                    continue;
                }

                Header->Errno = (int)step->D;
                Header->FailedStep = i;
                return false;
            }

            nint result = RawCall.Invoke(
                step->Number,
                Value(step->A, step->Kinds, data),
                Value(step->B, step->Kinds >> 2, data),
                Value(step->C, step->Kinds >> 4, data),
                Value(step->D, step->Kinds >> 6, data),
                Value(step->E, step->Kinds >> 8, data),
                Value(step->F, step->Kinds >> 10, data));
            if (result >= step->Minimum)
            {
                i += step->SkipOnSuccess;
            }
            else if (result >= 0)
            {
                Header->Errno = (int)Errno.ECANCELED;
                Header->FailedStep = i;
                return false;
            }
            else
            {
                int errno = *RawCall.ErrnoLocation();
                if (errno == (int)Errno.EINTR || (errno == (int)Errno.EAGAIN && step->Number == SystemCall.openat2))
                {
                    i--; // openat2 says EAGAIN when a rename raced with a ".."; see openat2(2), RESOLVE_IN_ROOT
                    continue;
                }

                if (step->Tolerated != ulong.MaxValue && (errno >= 64 || (step->Tolerated & (1UL << errno)) == 0))
                {
                    Header->Errno = errno;
                    Header->FailedStep = i;
                    return false;
                }

                result = -errno;
                i += step->SkipOnFailure;
            }

            if (step->Result >= 0)
            {
                *(long*)(data + step->Result) = result;
            }
        }

        return true;

        static nint Value(long value, uint kind, byte* data) => (kind & 3) switch
        {
            0 => (nint)value,
            1 => (nint)(data + value),
            _ => (nint)(*(long*)(data + value)),
        };
    }

    public void Dispose() => _ = munmap((nint)start, size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nint length);
}

/// <summary>System calls without a transition of the garbage collector: for the child between clone and exec, which shares the parent's thread.</summary>
internal static unsafe partial class RawCall
{
    [LibraryImport("libc", EntryPoint = "syscall"), SuppressGCTransition]
    public static partial nint Invoke(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    [LibraryImport("libc", EntryPoint = "__errno_location"), SuppressGCTransition]
    public static partial int* ErrnoLocation();

    [LibraryImport("libc", EntryPoint = "_exit"), SuppressGCTransition]
    public static partial void Exit(int code);
}
