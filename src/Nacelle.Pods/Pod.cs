using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>A pod's directory, open. What it says of the pod is read from the disk each time: there is no other truth.</summary>
/// <remarks>The lock (flock on the directory) belongs to this opening: whoever inherits the descriptor holds it too.</remarks>
public sealed class Pod : IDisposable
{
    readonly PodStore store;

    internal Pod(PodStore store, string uuid, PodPlace place, FileDescriptor directory)
    {
        this.store = store;
        Uuid = uuid;
        Place = place;
        Directory = directory;
    }

    public string Uuid { get; }

    /// <summary>What else it may be called; null where it was given no name.</summary>
    public string? Name => Files.TryReadText(Directory, "name");

    /// <summary>Where the directory lay when it was opened or last moved by this object.</summary>
    public PodPlace Place { get; private set; }

    public FileDescriptor Directory { get; }

    /// <summary>The directory's path, for programs that are given the pod as their working directory.</summary>
    public string Path => $"{store.Path}/pods/{Place.DirectoryName()}/{Uuid}";

    /// <summary>The data directory that the pod belongs to.</summary>
    internal string DataDirectory => store.Path;

    public bool OverlayPrepared => Files.Exists(Directory, "overlay-prepared");

    /// <summary>What the changes of its apps have to be.</summary>
    internal OverlayChanges Changes => Files.Exists(Directory, "changes-whole") ? OverlayChanges.Whole : OverlayChanges.MayRefer;

    /// <summary>Whether the pod's stage1 comes from an image, in <see cref="Stage1Layers"/>.</summary>
    internal bool HasStage1Image => Files.Exists(Directory, "stage1/layers");

    /// <summary>The diff-ids of the layers of the pod's stage1, lowest first; none for the stage1 that comes with us.</summary>
    public IReadOnlyList<Digest> Stage1Layers => ReadLayers("stage1/layers");

    /// <summary>The shift and count of the pod's user namespace, or null where it has none.</summary>
    public (uint Shift, uint Count)? PrivateUsers
    {
        get
        {
            var text = Files.TryReadText(Directory, "private-users-prepared");
            int colon = text?.IndexOf(':') ?? -1;
            return colon < 0 ? null : (uint.Parse(text.AsSpan(0, colon)), uint.Parse(text.AsSpan(colon + 1).Trim()));
        }
    }

    public PodManifest ReadManifest() => PodManifest.Parse(Files.ReadAll(Directory, "pod"), $"{Path}/pod");

    /// <summary>As <see cref="ReadManifest"/>; null while the pod is in preparation, when it may be there by half.</summary>
    public PodManifest? TryReadManifest()
    {
        using var file = Place is PodPlace.Embryo or PodPlace.Prepare ? null : Files.TryOpen(Directory, "pod", OpenFlags.ReadOnly, out _);
        return file is null ? null : PodManifest.Parse(Files.ReadToEnd(file), $"{Path}/pod");
    }

    /// <summary>The manifest of the image that an app was made from.</summary>
    public AppImageManifest ReadImageManifest(AppName app) => AppImageManifest.Parse(Files.ReadAll(Directory, $"appsinfo/{app}/manifest"), $"{Path}/appsinfo/{app}/manifest");

    /// <summary>When the pod was made.</summary>
    public DateTimeOffset? Created => TimeOf("pod-created");

    /// <summary>When the pod was started, or null.</summary>
    public DateTimeOffset? Started => TimeOf("pid") ?? TimeOf("ppid");

    /// <summary>When the pod was put where it waits to be collected; null where it was not.</summary>
    public DateTimeOffset? Marked => Place is PodPlace.ExitedGarbage or PodPlace.Garbage ? Files.Status(Directory).ChangeTime.ToDateTimeOffset() : null;

    /// <summary>All its apps run, and those that say so themselves are ready. A stage1 that does not tell so is ready when its pod has a process.</summary>
    public bool IsReady => Files.TryStatus(Directory, "stage1/rootfs/rkt/supervisor-status", out _) is not null || (HasStage1Image && ProcessId is not null);

    /// <summary>With which the pod ended; null while it has not, or where nobody could tell.</summary>
    public int? ExitCode => NumberIn("stage1/rootfs/rkt/exited");

    /// <summary>When the pod ended; null while it has not, or where its PID 1 was killed before it could say so.</summary>
    public DateTimeOffset? Finished => TimeOf("stage1/rootfs/rkt/exited");

    /// <summary>The host's process id of the pod's PID 1; only of worth while the pod is locked. Null while stage1 has not told it.</summary>
    /// <remarks>A stage1 writes it to <c>pid</c>, or to <c>ppid</c> the id of a process whose first child it is.</remarks>
    public int? ProcessId => NumberIn("pid") is { } pid ? pid
        : NumberIn("ppid") is { } parent && (Files.TryReadText(FileDescriptor.WorkingDirectory, $"/proc/{parent}/task/{parent}/children") ?? "").Split(' ') is [var child, ..]
            && int.TryParse(child, out int first) ? first
        : null;

    /// <summary>As <see cref="ProcessId"/>, after waiting some seconds for a pod that has only just been started.</summary>
    /// <exception cref="PodException">Stage1 has not told it.</exception>
    internal int AwaitProcessId()
    {
        const int Patience = 5000, Step = 20;
        for (int waited = 0; ; waited += Step)
        {
            if (ProcessId is { } pid)
            {
                return pid;
            }

            if (waited >= Patience)
            {
                throw new PodException($"pod {Uuid}: its stage1 {Stage1.ReadManifest(this).Name} has written neither pid nor ppid");
            }

            Thread.Sleep(Step);
        }
    }

    /// <summary>Whether stage1 has told where the pod's PID 1 is, as the contract has it.</summary>
    internal bool HasStarted => Files.Exists(Directory, "pid") || Files.Exists(Directory, "ppid");

    /// <summary>The process that stage0 became or started as stage1's <c>run</c>, in whose mount namespace stage1's root file system is mounted.</summary>
    /// <returns>Its mount namespace; null when that process is gone, whoever has its number now.</returns>
    internal FileDescriptor? TryOpenStage1Mounts()
    {
        if ((Files.TryReadText(Directory, "stage1-pid") ?? "").Trim().Split(' ') is not [var number, var start] || !int.TryParse(number, out int pid))
        {
            return null;
        }

        var mounts = Files.TryOpen(FileDescriptor.WorkingDirectory, $"/proc/{pid}/ns/mnt", OpenFlags.ReadOnly, out _);
        if (mounts is not null && $"{Processes.TryStatus(pid)?.StartTime}" != start)
        {
            mounts.Dispose();
            mounts = null;
        }

        return mounts;
    }

    /// <summary>Notes the process that is, or becomes, stage1's <c>run</c>.</summary>
    internal void WriteStage1Process(int pid) => Files.WriteAll(Directory, "stage1-pid", $"{pid} {Processes.TryStatus(pid)?.StartTime}\n");

    /// <summary>An app's exit code, or null while it has none.</summary>
    public int? ExitCodeOf(AppName app) => int.TryParse(Files.TryReadText(Directory, $"stage1/rootfs/rkt/status/{app}"), out int code) ? code : null;

    /// <summary>How often an app that ended was started again.</summary>
    public int RestartsOf(AppName app) => int.TryParse(Files.TryReadText(Directory, $"stage1/rootfs/rkt/restarts/{app}"), out int count) ? count : 0;

    /// <summary>When the app was prepared or added.</summary>
    public DateTimeOffset? AppCreated(AppName app) => TimeOf($"appsinfo/{app}/manifest");

    /// <summary>When an app was started: what our own stage1 writes down, and for others the time of the whole pod.</summary>
    public DateTimeOffset? AppStarted(AppName app) => TimeOf($"stage1/rootfs/rkt/pid/{app}") ?? (HasStage1Image ? Started : null);

    public DateTimeOffset? AppFinished(AppName app) => TimeOf($"stage1/rootfs/rkt/status/{app}");

    /// <summary>The diff-ids of an app's layers, lowest first.</summary>
    public IReadOnlyList<Digest> LayersOf(string app) => ReadLayers($"appsinfo/{app}/layers");

    /// <summary>The id of the image that the pod's stage1 is made of; of the one that comes with us, its name.</summary>
    public string Stage1ImageId => Files.TryReadText(Directory, "stage1TreeStoreID")?.Trim() ?? "";

    public string ImageIdOf(AppName app) => Files.TryReadText(Directory, $"appsinfo/{app}/treeStoreID")?.Trim() ?? "";

    /// <summary>Moves the pod on to its next state; the caller holds its lock.</summary>
    /// <returns>False when somebody else moved or removed it first.</returns>
    internal bool TryMove(PodPlace to)
    {
        switch (store.TryRename(Uuid, Place, to))
        {
            case Errno.None:
                Place = to;
                return true;
            case Errno.ENOENT:
                return false;
            case var error:
                throw new KernelException($"move pod {Uuid} to {to.DirectoryName()}", error);
        }
    }

    /// <summary>Whether nobody holds the lock, and then holds it.</summary>
    /// <remarks>Who only looks at a pod shares its lock for a moment: that is no reason to give up.</remarks>
    public bool TryLock()
    {
        const int Looks = 100;
        for (int look = 0; !FileLock.TryAcquire(Directory, LockKind.Exclusive); look++)
        {
            if (look == Looks || !TryShare())
            {
                return false;
            }

            FileLock.Release(Directory);
            Thread.Sleep(1);
        }

        return true;
    }

    /// <summary>Keeps the pod from being moved or removed as long as this object lives, where nobody holds its lock; its state stays what it is.</summary>
    public bool TryShare() => FileLock.TryAcquire(Directory, LockKind.Shared);

    public void Dispose() => Directory.Dispose();

    IReadOnlyList<Digest> ReadLayers(string file) => [.. (Files.TryReadText(Directory, file) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Digest.Parse)];

    int? NumberIn(string file) => int.TryParse(Files.TryReadText(Directory, file), out int number) ? number : null;

    DateTimeOffset? TimeOf(string file) => Files.TryStatus(Directory, file, out _)?.ModificationTime.ToDateTimeOffset();
}
