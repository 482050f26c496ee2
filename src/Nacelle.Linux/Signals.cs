using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Signals taken from a descriptor instead of by handlers. See signalfd(2).</summary>
public static unsafe partial class Signals
{
    static bool finalizersAreBlocked;

    const int SIG_BLOCK = 0, SIG_SETMASK = 2, SFD_CLOEXEC = 0x80000, SFD_NONBLOCK = 0x800, RecordSize = 128;

    /// <summary>Blocks every signal on the calling thread; a program started by exec begins with the same mask, on all its threads.</summary>
    public static void BlockAll() => SetMask(SIG_SETMASK, ulong.MaxValue);

    /// <summary>As <see cref="BlockAll"/>, on all threads of a program compiled ahead of time: the main one, which calls this, and the collector's finalizer thread.</summary>
    /// <remarks>
    /// A signal for the process goes to any thread that does not block it (signal(7)), and nobody can change another thread's mask. So the finalizer thread does it
    /// itself, in a finalizer: a collection, a fifth of a millisecond. The other way would be to block signals and start the program over.
    /// </remarks>
    public static void BlockOnAllThreads()
    {
        BlockAll();
        while (!Volatile.Read(ref finalizersAreBlocked))
        {
            Drop();
            GC.Collect(0);
            GC.WaitForPendingFinalizers();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Drop() => _ = new MaskOfFinalizers();

    sealed class MaskOfFinalizers
    {
        ~MaskOfFinalizers()
        {
            BlockAll();
            Volatile.Write(ref finalizersAreBlocked, true);
        }
    }

    public static void UnblockAll() => SetMask(SIG_SETMASK, 0);

    /// <summary>Whether the signal is blocked on the calling thread.</summary>
    public static bool IsBlocked(Signal signal)
    {
        ulong mask = 0;
        // SAFETY: the kernel's signal set is one 64-bit word, as the size says.
        Call.Check(rt_sigprocmask(SystemCall.rt_sigprocmask, SIG_BLOCK, null, &mask, 8), "get signal mask", "");
        return (mask & Bit(signal)) != 0;
    }

    /// <summary>A descriptor to read signals from, all but those that no process can take; they must be blocked on every thread.</summary>
    public static FileDescriptor Open()
    {
        ulong mask = ulong.MaxValue;
        // SAFETY: the kernel's signal set is one 64-bit word, as the size says.
        return new FileDescriptor((int)Call.Check(signalfd4(SystemCall.signalfd4, -1, &mask, 8, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd", ""), "signals");
    }

    /// <summary>The next signal that waits, or null.</summary>
    public static Signal? TryRead(FileDescriptor signals)
    {
        Span<byte> record = stackalloc byte[RecordSize];
        return Files.TryRead(signals, record) == RecordSize ? (Signal)BinaryPrimitives.ReadInt32LittleEndian(record) : null;
    }

    /// <summary>Ignores a signal from now on, in this process and, unless they change it, in what it starts by exec.</summary>
    public static void Ignore(Signal signal) => SetAction(signal, 1);

    public static void Default(Signal signal) => SetAction(signal, 0);

    static void SetAction(Signal signal, long handler)
    {
        byte* action = stackalloc byte[32];
        new Span<byte>(action, 32).Clear();
        *(long*)action = handler;
        // SAFETY: 32 bytes are the kernel's struct sigaction, which begins with the handler; SIG_DFL and SIG_IGN need no restorer.
        Call.Check(rt_sigaction(SystemCall.rt_sigaction, (int)signal, action, null, 8), "sigaction", signal.ToString());
    }

    static void SetMask(int how, ulong mask) =>
        // SAFETY: the kernel's signal set is one 64-bit word, as the size says.
        Call.Check(rt_sigprocmask(SystemCall.rt_sigprocmask, how, &mask, null, 8), "set signal mask", "");

    static ulong Bit(Signal signal) => 1UL << ((int)signal - 1);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint rt_sigprocmask(nint number, nint how, ulong* set, ulong* before, nint size);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint rt_sigaction(nint number, nint signal, byte* action, byte* before, nint size);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint signalfd4(nint number, nint descriptor, ulong* mask, nint size, nint flags);
}
