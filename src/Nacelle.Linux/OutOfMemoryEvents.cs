using System.Globalization;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Tells when processes of a group run out of memory.</summary>
public sealed partial class OutOfMemoryEvents : IDisposable
{
    const int EFD_CLOEXEC = 0x80000, EFD_NONBLOCK = 0x800, IN_CLOEXEC = 0x80000, IN_NONBLOCK = 0x800;
    const uint IN_MODIFY = 2;

    readonly FileDescriptor group;
    readonly bool unified;
    long seen;

    OutOfMemoryEvents(FileDescriptor group, FileDescriptor descriptor, bool unified)
    {
        this.group = group;
        this.unified = unified;
        Descriptor = descriptor;
        seen = unified ? ReadKills() ?? 0 : 0;
    }

    /// <summary>Becomes readable when something has happened that <see cref="Take"/> tells; stays this object's.</summary>
    public FileDescriptor Descriptor { get; }

    /// <summary>
    /// How often memory has run out since the last call: in version 2, processes killed for it, also in groups below; in version 1, times, which
    /// also come when the killer is off. Null when the group is gone, in version 2 already when its last process is. Never waits.
    /// </summary>
    public long? Take()
    {
        Span<byte> buffer = stackalloc byte[4096];
        int length = Files.TryRead(Descriptor, buffer);
        if (!unified)
        {
            // The kernel writes into the counter once more when the group is removed.
            return !Files.Exists(group, "memory.oom_control") ? null : length == sizeof(long) ? BitConverter.ToInt64(buffer) : 0;
        }

        // The last process may itself have died of it: that is told first.
        bool empty = ReadNumber("cgroup.events", "populated ") is null or 0;
        if (ReadKills() is not { } now)
        {
            return null;
        }

        long happened = now - seen;
        seen = now;
        return empty && happened == 0 ? null : happened;
    }

    public void Dispose()
    {
        Descriptor.Dispose();
        group.Dispose();
    }

    /// <summary>Version 2: the kernel marks files of events as modified; no word comes of a removal. See the kernel's Documentation/admin-guide/cgroup-v2.rst.</summary>
    internal static OutOfMemoryEvents OpenUnified(FileDescriptor group)
    {
        var descriptor = new FileDescriptor(Call.Check(inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "inotify_init", ""), $"events of {group}");
        try
        {
            Call.Check(inotify_add_watch(descriptor, $"{group.ProcPath}/memory.events", IN_MODIFY), "watch", $"{group}/memory.events");
            Call.Check(inotify_add_watch(descriptor, $"{group.ProcPath}/cgroup.events", IN_MODIFY), "watch", $"{group}/cgroup.events");
            return new(group.Duplicate(), descriptor, unified: true);
        }
        catch
        {
            descriptor.Dispose();
            throw;
        }
    }

    /// <summary>Version 1: the kernel writes into an eventfd. See the kernel's Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control".</summary>
    internal static OutOfMemoryEvents OpenLegacy(FileDescriptor group)
    {
        var descriptor = new FileDescriptor(Call.Check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd", ""), $"events of {group}");
        try
        {
            using var source = Files.Open(group, "memory.oom_control", OpenFlags.ReadOnly);
            Files.WriteExisting(group, "cgroup.event_control", $"{descriptor.Number} {source.Number}");
            return new(group.Duplicate(), descriptor, unified: false);
        }
        catch
        {
            descriptor.Dispose();
            throw;
        }
    }

    long? ReadKills() => ReadNumber("memory.events", "oom_kill ");

    long? ReadNumber(string file, string key)
    {
        try
        {
            foreach (var line in (Files.TryReadText(group, file) ?? "").AsSpan().EnumerateLines())
            {
                if (line.StartsWith(key, StringComparison.Ordinal))
                {
                    return long.Parse(line[key.Length..], CultureInfo.InvariantCulture);
                }
            }
        }
        catch (KernelException failure) when (failure.Errno == Errno.ENODEV)
        {
            // Removed between opening and reading.
        }

        return null;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint value, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int inotify_add_watch(FileDescriptor instance, string path, uint mask);
}
