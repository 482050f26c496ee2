using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>A container that was created: its directory and what it says.</summary>
/// <remarks>
/// Files: <c>state.json</c>, see <see cref="ContainerRecord"/>; <c>config.json</c>, as the bundle had it at creation; <c>start</c>, the pipe on which the container's process
/// waits, until it is started; <c>plan</c>, what that process does, see <see cref="Launch.ReadFailure"/>.
/// </remarks>
sealed class Container : IDisposable
{
    public const string StateFile = "state.json", ConfigFile = "config.json", StartPipe = "start", PlanFile = "plan";

    RuntimeConfig? config;

    public Container(ContainerDirectory directory)
    {
        Directory = directory;
        Record = Files.Exists(directory.Descriptor, StateFile)
            ? ContainerRecord.Parse(Files.ReadAll(directory.Descriptor, StateFile), $"{directory.Path}/{StateFile}")
            : new ContainerRecord { Id = directory.Id, Bundle = "", Rootfs = "" };
    }

    public ContainerDirectory Directory { get; }

    /// <summary>Changed in memory here, and on the disk by <see cref="Write"/>.</summary>
    public ContainerRecord Record { get; set; }

    public string Id => Directory.Id;

    /// <summary>The configuration at the time of creation.</summary>
    public RuntimeConfig Config => config ??= RuntimeConfig.Parse(Files.ReadAll(Directory.Descriptor, ConfigFile), $"{Directory.Path}/{ConfigFile}");

    /// <summary>One of <see cref="RuntimeStatus"/>.</summary>
    public string Status =>
        Record.Pid == 0 ? (Directory.IsBusy ? RuntimeStatus.Creating : RuntimeStatus.Stopped)
        : !IsAlive ? RuntimeStatus.Stopped
        : Files.Exists(Directory.Descriptor, StartPipe) ? RuntimeStatus.Created
        : IsPaused ? RuntimeStatus.Paused
        : RuntimeStatus.Running;

    public bool IsAlive => Record.Pid > 0 && Processes.TryStatus(Record.Pid) is { HasEnded: false } status && status.StartTime == Record.StartTime;

    bool IsPaused
    {
        get
        {
            using var group = OpenCgroup();
            return group is { IsFrozen: true };
        }
    }

    /// <summary>The container's control group, where there still is one.</summary>
    public Cgroup? OpenCgroup()
    {
        var layout = CgroupLayout.Detect();
        return Record.Cgroup is { } path && layout.Kind != CgroupKind.None ? Cgroup.TryOpen(layout, CgroupPath.Parse(path)) : null;
    }

    /// <summary>The container's process, as a descriptor that can be no other's.</summary>
    /// <returns>Null when it has ended.</returns>
    public FileDescriptor? TryOpenProcess()
    {
        var process = Record.Pid > 0 ? Processes.TryOpen(Record.Pid) : null;
        if (process is not null && !IsAlive)
        {
            process.Dispose();
            return null;
        }

        return process;
    }

    public RuntimeState State(string status) => new()
    {
        Id = Id,
        Status = status,
        Pid = status == RuntimeStatus.Stopped ? 0 : Record.Pid,
        Bundle = Record.Bundle,
        Annotations = Files.Exists(Directory.Descriptor, ConfigFile) ? Config.Annotations : null,
    };

    public void Write(ContainerRecord record)
    {
        Record = record;
        WriteWhole(StateFile, record.ToJson());
    }

    /// <param name="text">The bundle's configuration, checked.</param>
    public void WriteConfig(byte[] text) => WriteWhole(ConfigFile, text);

    /// <summary>A file of a container is there whole or not at all, also for who removes the container after a crash.</summary>
    void WriteWhole(string name, byte[] text)
    {
        var temporary = $".{name}";
        Files.WriteAll(Directory.Descriptor, temporary, text, 0x180);
        Files.Rename(Directory.Descriptor, temporary, Directory.Descriptor, name);
    }

    public void Dispose() => Directory.Dispose();
}
