using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Rows and columns of a terminal, in characters.</summary>
public readonly record struct TerminalSize(ushort Rows, ushort Columns);

/// <summary>Pseudoterminals, and the modes and sizes of terminals. See pty(7), ioctl_tty(2).</summary>
public static unsafe partial class Terminal
{
    /// <summary>Opens a new pair from a devpts file system; the caller owns both ends.</summary>
    /// <param name="devices">The directory that holds <c>ptmx</c>: a container's own /dev/pts, so that the terminal is known there by that name.</param>
    /// <remarks>
    /// The program's end is opened from the master by descriptor (TIOCGPTPEER, Linux 4.13), never by its path, which the container could have put something else at.
    /// </remarks>
    public static (FileDescriptor Master, FileDescriptor Program) OpenPair(FileDescriptor devices, string multiplexer = "ptmx")
    {
        const OpenFlags Flags = OpenFlags.ReadWrite | OpenFlags.NoControllingTerminal | OpenFlags.CloseOnExec;
        var master = Files.Open(devices, multiplexer, OpenFlags.ReadWrite | OpenFlags.NoControllingTerminal | OpenFlags.NoFollow);
        try
        {
            int locked = 0;
            // SAFETY: TIOCSPTLCK reads one int from this stack frame.
            Call.Check(ioctl(master, TIOCSPTLCK, (nint)(&locked)), "unlock the terminal of", master.Description);
            int program = Call.Check(ioctl(master, TIOCGPTPEER, (nint)(int)Flags), "open the terminal of", master.Description);
            return (master, new FileDescriptor(program, $"terminal of {master.Description}"));
        }
        catch
        {
            master.Dispose();
            throw;
        }
    }

    /// <summary>The number of the pair: the program's end is <c>pts/NUMBER</c>.</summary>
    public static int Number(FileDescriptor master)
    {
        int number;
        // SAFETY: TIOCGPTN writes one int.
        Call.Check(ioctl(master, TIOCGPTN, (nint)(&number)), "number of", master.Description);
        return number;
    }

    public static bool IsTerminal(FileDescriptor file)
    {
        var modes = default(TerminalModes);
        // SAFETY: TCGETS writes one struct termios of 36 bytes.
        return ioctl(file, TCGETS, (nint)(&modes)) == 0;
    }

    /// <exception cref="KernelException">ENOTTY: not a terminal.</exception>
    public static TerminalModes GetModes(FileDescriptor terminal)
    {
        var modes = default(TerminalModes);
        // SAFETY: as in IsTerminal.
        Call.Check(ioctl(terminal, TCGETS, (nint)(&modes)), "get modes of", terminal.Description);
        return modes;
    }

    /// <summary>Sets the modes once everything written has been sent (TCSETSW).</summary>
    public static void SetModes(FileDescriptor terminal, TerminalModes modes) =>
        // SAFETY: TCSETSW reads one struct termios of 36 bytes from this stack frame.
        Call.Check(ioctl(terminal, TCSETSW, (nint)(&modes)), "set modes of", terminal.Description);

    /// <summary>Every byte passes as it is, both ways, at once: what a terminal is set to while another one, inside, does the editing.</summary>
    /// <returns>The modes before, to be put back by <see cref="SetModes"/>.</returns>
    public static TerminalModes MakeRaw(FileDescriptor terminal)
    {
        var before = GetModes(terminal);
        SetModes(terminal, before.Raw());
        return before;
    }

    public static TerminalSize GetSize(FileDescriptor terminal)
    {
        ulong size = 0;
        // SAFETY: TIOCGWINSZ writes one struct winsize, four 16-bit numbers.
        Call.Check(ioctl(terminal, TIOCGWINSZ, (nint)(&size)), "get size of", terminal.Description);
        return new((ushort)size, (ushort)(size >> 16));
    }

    /// <summary>Sets the size; the programs in the foreground get SIGWINCH.</summary>
    public static void SetSize(FileDescriptor terminal, TerminalSize size)
    {
        ulong encoded = size.Rows | ((ulong)size.Columns << 16);
        // SAFETY: TIOCSWINSZ reads one struct winsize, four 16-bit numbers.
        Call.Check(ioctl(terminal, TIOCSWINSZ, (nint)(&encoded)), "set size of", terminal.Description);
    }

    // asm-generic/ioctls.h, the same on x86-64 and arm64.
    const nuint TCGETS = 0x5401, TCSETSW = 0x5403, TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414;
    const nuint TIOCGPTN = 0x80045430, TIOCSPTLCK = 0x40045431, TIOCGPTPEER = 0x5441;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(FileDescriptor file, nuint request, nint argument);
}

/// <summary>How a terminal treats what passes through it: the kernel's struct termios. See termios(3).</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly unsafe record struct TerminalModes
{
    const uint IGNBRK = 1, BRKINT = 2, PARMRK = 0x8, ISTRIP = 0x20, INLCR = 0x40, IGNCR = 0x80, ICRNL = 0x100, IXON = 0x400;
    const uint OPOST = 1, CSIZE = 0x30, CS8 = 0x30, PARENB = 0x100;
    const uint ISIG = 1, ICANON = 2, ECHO = 8, ECHONL = 0x40, IEXTEN = 0x8000;

    uint Input { get; init; }

    uint Output { get; init; }

    uint Control { get; init; }

    uint Local { get; init; }

    // c_line, then c_cc[0] to c_cc[18], of which VTIME (5) and VMIN (6) are the first word's upper two bytes.
    ulong First { get; init; }

    ulong Second { get; init; }

    uint Third { get; init; }

    public bool Echoes => (Local & ECHO) != 0;

    /// <summary>What cfmakeraw(3) makes of it.</summary>
    public TerminalModes Raw() => this with
    {
        Input = Input & ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON),
        Output = Output & ~OPOST,
        Local = Local & ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN),
        Control = (Control & ~(CSIZE | PARENB)) | CS8,

        // VTIME = 0, VMIN = 1: a read waits for one byte, and no longer.
        First = (First & 0x0000_FFFF_FFFF_FFFF) | (1ul << 56),
    };
}
