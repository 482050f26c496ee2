using Nacelle.Linux;

namespace Nacelle.Flavors;

/// <summary>The pod's PID 1, seen from outside.</summary>
static class PodProcess
{
    /// <summary>Stage1's <c>stop</c>: asks it to end, or ends it.</summary>
    public static int Stop(string[] arguments) => Stop(arguments, "pid");

    /// <summary>Where <c>pid</c> says, or the first child of the process that <c>ppid</c> says.</summary>
    static int? FindInit() => PodDirectory.ReadNumber("pid")
        ?? (PodDirectory.ReadNumber("ppid") is { } parent && (Files.TryReadText(FileDescriptor.WorkingDirectory, $"/proc/{parent}/task/{parent}/children") ?? "").Split(' ') is [var child, ..]
            && int.TryParse(child, out int pid) ? pid : null);

    /// <param name="file">Which file of the pod directory has the id of the process to ask; by force it is always PID 1 that is ended.</param>
    public static int Stop(string[] arguments, string file)
    {
        bool force = arguments.Contains("--force") || arguments.Contains("--force=true");
        int pid = (force ? FindInit() : PodDirectory.ReadNumber(file)) ?? throw new FlavorException("the pod has no PID 1 yet");
        using var process = Processes.TryOpen(pid);
        var failure = process is null ? Errno.ESRCH : Processes.Kill(process, force ? Signal.Kill : Signal.Terminate);
        return failure is Errno.None or Errno.ESRCH ? 0 : throw new KernelException($"signal process {pid}", failure);
    }
}
