using System.Globalization;
using System.Runtime.InteropServices;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>Knows how the machine was before the first test; <see cref="LeakTests"/> compares after the last.</summary>
public sealed class LeakGuard
{
    /// <summary>Every group that a test makes lies below this one.</summary>
    public static readonly string CgroupParent = $"/nacelle-kernel-tests-{Environment.ProcessId}";

    readonly HashSet<string> before;

    public LeakGuard()
    {
        // Orphans come to this process instead of the machine's init, so that none is overlooked.
        const int PR_SET_CHILD_SUBREAPER = 36;
        _ = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        before = Snapshot();
    }

    /// <summary>What is there now and was not there before.</summary>
    public IReadOnlyList<string> Left()
    {
        // What is dying, or belongs to somebody else's work beside this run, gets a little time to go.
        List<string> left = [];
        for (int round = 0; round < 50; round++)
        {
            while (Processes.TryReapAny() is not null)
            {
            }

            left = [.. Snapshot().Where(thing => !before.Contains(thing))];
            if (left.Count == 0)
            {
                break;
            }

            Thread.Sleep(100);
        }

        return left;
    }

    static HashSet<string> Snapshot() => [.. Mounts(), .. Cgroups(), .. Network(), .. Descendants()];

    static IEnumerable<string> Mounts() =>
        File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')).Select(fields => $"mount {fields[0]} on {fields[4]}");

    static IEnumerable<string> Cgroups()
    {
        var layout = CgroupLayout.Detect();
        return layout.Hierarchies.Select(hierarchy => hierarchy.MountPoint)
            .Append(layout.UnifiedMountPoint)
            .OfType<string>()
            .Select(mountPoint => mountPoint + CgroupParent)
            .Where(Directory.Exists)
            .SelectMany(parent => Directory.GetDirectories(parent, "*", SearchOption.AllDirectories).Prepend(parent))
            .Select(directory => $"cgroup {directory}");
    }

    static IEnumerable<string> Network() =>
        new[] { "/sys/class/net", "/run/netns" }.Where(Directory.Exists).SelectMany(Directory.GetFileSystemEntries).Select(entry => $"network {entry}");

    static IEnumerable<string> Descendants()
    {
        var children = new Dictionary<int, List<(int Process, string Name)>>();
        foreach (var directory in Directory.GetDirectories("/proc").Where(directory => char.IsAsciiDigit(Path.GetFileName(directory)[0])))
        {
            try
            {
                // PID (NAME) STATE PARENT …; the name may hold anything.
                string text = File.ReadAllText($"{directory}/stat");
                int end = text.LastIndexOf(')');
                int parent = int.Parse(text[(end + 4)..].Split(' ')[0], CultureInfo.InvariantCulture);
                children.TryAdd(parent, []);
                children[parent].Add((int.Parse(Path.GetFileName(directory), CultureInfo.InvariantCulture), text[text.IndexOf('(')..(end + 1)]));
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        var pending = new Queue<int>([Environment.ProcessId]);
        while (pending.TryDequeue(out int process))
        {
            foreach (var child in children.GetValueOrDefault(process, []))
            {
                pending.Enqueue(child.Process);
                yield return $"process {child.Process} {child.Name}";
            }
        }
    }

#pragma warning disable SYSLIB1054 // generated calls need unsafe code, which only Nacelle.Linux may have
    [DllImport("libc")]
    static extern int prctl(int option, nint a, nint b, nint c, nint d);
#pragma warning restore SYSLIB1054
}
