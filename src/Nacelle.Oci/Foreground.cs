using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>Standing for a process of a container in front of whoever called: signals go in, the terminal's bytes both ways, the exit code out.</summary>
static class Foreground
{
    /// <summary>Makes sure that all signals come by descriptor, on every thread: by starting over with the mask, once.</summary>
    /// <returns>True.</returns>
    public static bool Restarted()
    {
        if (!Signals.IsBlocked(Signal.Terminate))
        {
            Signals.BlockAll();
            throw Processes.Execute("/proc/self/exe", Environment.GetCommandLineArgs(), Processes.Environment());
        }

        return true;
    }

    /// <summary>The size of the caller's own terminal, or null when it has none.</summary>
    public static RuntimeConsoleSize? Size()
    {
        if (!Terminal.IsTerminal(FileDescriptor.StandardInput))
        {
            return null;
        }

        var size = Terminal.GetSize(FileDescriptor.StandardInput);
        return size.Rows > 0 ? new RuntimeConsoleSize(size.Rows, size.Columns) : null;
    }

    /// <param name="terminal">On which the terminal's outer side arrives, or null.</param>
    public static ExitStatus Until(Process process, FileDescriptor? terminal)
    {
        if (terminal is null && !Signals.IsBlocked(Signal.Terminate))
        {
            Signals.BlockAll();
        }

        return ProcessRelay.Until(process, terminal);
    }
}
