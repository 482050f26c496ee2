using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>Processes of a pod that runs, as the host sees them. The working directory is the pod's.</summary>
static class PodProcess
{
    /// <summary>The host's number of the pod's PID 1, or null.</summary>
    public static int? Number => int.TryParse(Files.TryReadText(FileDescriptor.WorkingDirectory, "pid"), out int pid) ? pid : null;

    /// <exception cref="Stage1Exception">The pod does not run.</exception>
    public static FileDescriptor Open() => Number is { } pid && Processes.TryOpen(pid) is { } process ? process : throw new Stage1Exception("the pod is not running");

    /// <summary>The app's first process: a child of the pod's PID 1 that has, in the pod, the number that PID 1 wrote down.</summary>
    /// <exception cref="Stage1Exception">The app does not run.</exception>
    public static (FileDescriptor Process, int Id) OpenApp(string app)
    {
        var wanted = Files.TryReadText(FileDescriptor.WorkingDirectory, $"stage1/rootfs/rkt/pid/{app}")?.Trim();
        if (Number is not { } init || wanted is null || Files.Exists(FileDescriptor.WorkingDirectory, $"stage1/rootfs/rkt/status/{app}"))
        {
            throw new Stage1Exception($"app {app} is not running");
        }

        var children = Files.TryReadText(FileDescriptor.WorkingDirectory, $"/proc/{init}/task/{init}/children") ?? "";
        foreach (var child in children.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int pid = int.Parse(child);
            var process = Processes.TryOpen(pid);
            if (process is not null && $"{Processes.InnermostId(pid)}" == wanted)
            {
                return (process, pid);
            }

            process?.Dispose();
        }

        throw new Stage1Exception($"app {app} is not running");
    }
}
