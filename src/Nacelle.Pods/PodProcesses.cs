using System.Globalization;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>A process of an app that runs.</summary>
/// <param name="Id">In the pod.</param>
/// <param name="HostId">On the host.</param>
/// <param name="User">On the host.</param>
/// <param name="State">As in proc_pid_stat(5).</param>
/// <param name="ResidentBytes">Of memory.</param>
/// <param name="Command">With its arguments.</param>
public sealed record PodProcess(AppName App, int Id, int HostId, uint User, char State, long ResidentBytes, TimeSpan ProcessorTime, string Command)
{
    /// <summary>The processes of all apps, or of one.</summary>
    public static IReadOnlyList<PodProcess> List(Pod pod, AppName? app = null)
    {
        var layout = CgroupLayout.Detect();
        var processes = new List<PodProcess>();
        foreach (var one in layout.Kind == CgroupKind.None ? [] : pod.TryReadManifest()?.Apps ?? [])
        {
            if (app is null || one.Name == app)
            {
                using var group = Cgroup.TryOpen(layout, $"{Cgroup.DefaultParent}/{pod.Uuid}/{one.Name}");
                processes.AddRange((group?.Processes() ?? []).Select(process => TryRead(one.Name, process)).OfType<PodProcess>());
            }
        }

        return processes;
    }

    /// <returns>Null when it has ended meanwhile.</returns>
    static PodProcess? TryRead(AppName app, int process)
    {
        try
        {
            var at = $"/proc/{process}";
            var status = (Files.TryReadText(FileDescriptor.WorkingDirectory, $"{at}/status") ?? "").Split('\n').Select(line => line.Split(':', 2)).Where(parts => parts.Length == 2)
                .ToDictionary(parts => parts[0], parts => parts[1].Trim(), StringComparer.Ordinal);
            var stat = Files.TryReadText(FileDescriptor.WorkingDirectory, $"{at}/stat") ?? "";
            var command = (Files.TryReadText(FileDescriptor.WorkingDirectory, $"{at}/cmdline") ?? "").TrimEnd('\0').Replace('\0', ' ');
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            const int UserTime = 11, KernelTime = 12; // fields 14 and 15, in hundredths of a second
            return new PodProcess(
                app, Last(status["NSpid"]), process, uint.Parse(status["Uid"].Split('\t')[0], CultureInfo.InvariantCulture), status["State"][0],
                status.TryGetValue("VmRSS", out var resident) ? long.Parse(resident.Split(' ')[0], CultureInfo.InvariantCulture) * 1024 : 0,
                TimeSpan.FromMilliseconds((long.Parse(fields[UserTime], CultureInfo.InvariantCulture) + long.Parse(fields[KernelTime], CultureInfo.InvariantCulture)) * 10),
                command.Length > 0 ? command : $"[{status["Name"]}]");
        }
        catch (Exception gone) when (gone is KernelException or KeyNotFoundException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    static int Last(string numbers) => int.Parse(numbers[(numbers.LastIndexOf('\t') + 1)..], CultureInfo.InvariantCulture);
}
