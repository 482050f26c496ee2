using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Carries bytes between the terminal that a person sits at and the one that a program in a container has.</summary>
/// <remarks>The person's terminal is raw meanwhile: what Ctrl-C means is for the terminal inside to say. Disposing puts its modes back.</remarks>
public sealed class TerminalRelay : IDisposable
{
    readonly FileDescriptor inner;
    readonly TerminalModes? before;
    readonly byte[] buffer = new byte[4096];
    bool inputEnded, outputEnded;

    TerminalRelay(FileDescriptor inner)
    {
        this.inner = inner;
        TakeSize();
        before = Terminal.IsTerminal(FileDescriptor.StandardInput) ? Terminal.MakeRaw(FileDescriptor.StandardInput) : null;
    }

    /// <summary>Waits for the terminal's outer side, which the program's plan sends; null when the sender ended before.</summary>
    public static TerminalRelay? Receive(FileDescriptor socket)
    {
        Sockets.Receive(socket, new byte[16], out var descriptor);
        return descriptor is null ? null : new TerminalRelay(descriptor);
    }

    public void TakeSize()
    {
        if (Terminal.IsTerminal(FileDescriptor.StandardInput))
        {
            Terminal.SetSize(inner, Terminal.GetSize(FileDescriptor.StandardInput));
        }
    }

    /// <summary>The size of the terminal that the caller sits at, or null when it does not.</summary>
    public static RuntimeConsoleSize? CallersSize()
    {
        if (!Terminal.IsTerminal(FileDescriptor.StandardInput))
        {
            return null;
        }

        var size = Terminal.GetSize(FileDescriptor.StandardInput);
        return size.Rows > 0 ? new RuntimeConsoleSize(size.Rows, size.Columns) : null;
    }

    /// <summary>Fills in two entries, for the person's side and the program's.</summary>
    public void Prepare(Span<PollEntry> entries)
    {
        entries[0] = new PollEntry { Number = inputEnded ? -1 : 0, Wanted = PollEvents.Readable };
        entries[1] = new PollEntry { Number = outputEnded ? -1 : inner.Number, Wanted = PollEvents.Readable };
    }

    public void Transfer(Span<PollEntry> entries)
    {
        if (entries[0].Happened != PollEvents.None)
        {
            inputEnded = !Move(FileDescriptor.StandardInput, inner);
        }

        if (entries[1].Happened != PollEvents.None)
        {
            outputEnded = !Move(inner, FileDescriptor.StandardOutput);
        }
    }

    /// <summary>Shows what the program wrote before it ended.</summary>
    public void Drain()
    {
        while (!outputEnded && Polling.Wait([new PollEntry { Number = inner.Number, Wanted = PollEvents.Readable }], 0) > 0)
        {
            outputEnded = !Move(inner, FileDescriptor.StandardOutput);
        }
    }

    bool Move(FileDescriptor from, FileDescriptor to)
    {
        try
        {
            int count = Files.Read(from, buffer);
            Files.Write(to, buffer.AsSpan(0, count));
            return count > 0;
        }
        catch (KernelException)
        {
            return false; // EIO: the other side of the terminal is closed (pty(7))
        }
    }

    public void Dispose()
    {
        if (before is { } modes)
        {
            Terminal.SetModes(FileDescriptor.StandardInput, modes);
        }

        inner.Dispose();
    }
}
