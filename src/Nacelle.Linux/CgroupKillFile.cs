using System.Globalization;

namespace Nacelle.Linux;

/// <summary>What kills the processes of a control group, kept open by one who sees neither the group's file system nor its processes' numbers on the host.</summary>
/// <param name="File">cgroup.kill of version 2 (Linux 5.14), or cgroup.procs, in which everybody reads the numbers of their own PID namespace.</param>
/// <param name="KillsAll">It is cgroup.kill.</param>
public readonly record struct CgroupKillFile(FileDescriptor File, bool KillsAll)
{
    const int MostRounds = 100;

    /// <summary>Sends SIGKILL to every process of the group. Does not wait until they are gone.</summary>
    /// <remarks>By cgroup.procs those are killed that have a number in this PID namespace, until none but the ones that are dying is left.</remarks>
    public void Kill()
    {
        if (KillsAll)
        {
            Files.Write(File, "1"u8);
            return;
        }

        // A process that forks while the list is read shows in the next one.
        var killed = new HashSet<int>();
        for (int round = 0; round < MostRounds; round++)
        {
            Files.Seek(File, 0, SeekOrigin.Begin);
            bool found = false;
            foreach (var line in System.Text.Encoding.ASCII.GetString(Files.ReadToEnd(File)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                int process = int.Parse(line, CultureInfo.InvariantCulture);
                found |= process > 1 && killed.Add(process) && Processes.Kill(process, Signal.Kill) == Errno.None;
            }

            if (!found)
            {
                return;
            }
        }
    }
}
