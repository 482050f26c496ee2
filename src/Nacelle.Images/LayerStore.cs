using System.Diagnostics.CodeAnalysis;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Unpacked layers by diff-id, below <c>layers/</c> of the data directory; any number of processes may use it at once.</summary>
/// <remarks>
/// <code>
/// layers/sha256-…/rootfs               the lower directory for overlayfs
///                 layer.json           sizes
///                 metadata.erofs       all of rootfs but the content of its files, where the layer is sealed
///                 tree-hash            of rootfs, once the layer has been verified
///                 implied-directories  names of directories whose attributes the layer does not tell, each ended by NUL; often missing
/// layers/.unpacking-…                  being filled by the process that holds its lock
/// layers/.removing-…                   renamed away, to be deleted
/// </code>
/// A layer comes into being by one rename, after its content is on the disk, and goes by one rename, so whatever has a diff-id's name is whole.
/// What a killed process leaves behind has no such name, and its lock is gone with it: <see cref="Sweep"/> removes it.
/// </remarks>
public sealed partial class LayerStore : IDisposable
{
    internal const string UnpackingPrefix = ".unpacking-", RemovingPrefix = ".removing-";
    internal const string RootfsName = "rootfs", RecordName = "layer.json", ImpliedName = "implied-directories", TreeHashName = "tree-hash";
    internal const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;

    LayerStore(FileDescriptor directory, FileDescriptor seals) => (Layers, this.seals) = (directory, seals);

    internal FileDescriptor Layers { get; }

    /// <summary>Opens the store below the data directory, and makes it there when it is missing.</summary>
    public static LayerStore Open(FileDescriptor dataDirectory)
    {
        Files.EnsureDirectory(dataDirectory, "layers", 0x1C0);
        Files.EnsureDirectory(dataDirectory, SealsName, 0x1C0);
        return new LayerStore(Files.Open(dataDirectory, "layers", DirectoryFlags), Files.Open(dataDirectory, SealsName, DirectoryFlags));
    }

    public bool Contains(Digest diffId) => Files.Exists(Layers, diffId.FileName);

    /// <summary>The layer's tree, to be mounted or copied, never written to; null when the layer is not here. The caller owns the descriptor.</summary>
    public FileDescriptor? TryOpen(Digest diffId) =>
        Files.TryOpen(Layers, $"{diffId.FileName}/{RootfsName}", DirectoryFlags, out var error)
        ?? (error == Errno.ENOENT ? null : throw new KernelException($"open layer {diffId}", error));

    /// <summary>The layer with all that <see cref="LayerCopy"/> needs to know; null when it is not here. The caller disposes it.</summary>
    public LayerSource? TryOpenSource(Digest diffId) =>
        TryOpen(diffId) is { } root ? new LayerSource(root, TryRead(diffId)?.RootIsOpaque ?? false, ImpliedDirectories(diffId).ToHashSet(StringComparer.Ordinal)) : null;

    /// <summary>What is known of a layer; null when it is not here.</summary>
    public LayerRecord? TryRead(Digest diffId)
    {
        using var file = Files.TryOpen(Layers, $"{diffId.FileName}/{RecordName}", OpenFlags.ReadOnly, out var error);
        return file is not null ? LayerRecord.FromJson(Files.ReadToEnd(file))
            : error == Errno.ENOENT ? null
            : throw new KernelException($"open layer {diffId}", error);
    }

    /// <summary>Paths of directories, the root being "", whose owner, mode and times only a lower layer can tell.</summary>
    public IReadOnlyList<string> ImpliedDirectories(Digest diffId)
    {
        using var file = Files.TryOpen(Layers, $"{diffId.FileName}/{ImpliedName}", OpenFlags.ReadOnly, out var error);
        return file is not null ? DecodeNames(Files.ReadToEnd(file))
            : error == Errno.ENOENT ? []
            : throw new KernelException($"open layer {diffId}", error);
    }

    /// <summary>The hash of the layer's tree as it was when it was last known to be right; null when nobody has looked since it was unpacked.</summary>
    public Digest? TreeHashOf(Digest diffId) =>
        Digest.TryParse(Files.TryReadText(Layers, $"{diffId.FileName}/{TreeHashName}")?.Trim(), out var hash) ? hash : null;

    internal void WriteTreeHash(Digest diffId, Digest hash)
    {
        using var directory = Files.Open(Layers, diffId.FileName, DirectoryFlags);
        Files.Replace(directory, TreeHashName, System.Text.Encoding.ASCII.GetBytes($"{hash}\n"));
    }

    /// <summary>All layers that are whole, in no order.</summary>
    public IReadOnlyList<Digest> List() => [.. Directories.List(Layers).Select(entry => TryDigest(entry.Name)).OfType<Digest>()];

    /// <summary>
    /// Starts unpacking a layer, unless it is here already. Two processes may do so at once: the later one's work is thrown away at its commit.
    /// </summary>
    /// <returns>False when the layer is here and nothing needs to be done; otherwise the caller disposes <paramref name="layer"/>.</returns>
    public bool TryBegin(Digest diffId, [NotNullWhen(true)] out PendingLayer? layer)
    {
        layer = Contains(diffId) ? null : PendingLayer.Create(this, diffId);
        return layer is not null;
    }

    /// <summary>Gives unpacked layers their names, all or some of them, once all are on the disk: waiting for the disk once is cheaper than once per layer.</summary>
    /// <remarks>That another process was faster with one is no error.</remarks>
    /// <exception cref="LayerException">A layer's archive has another diff-id than the image says; none is committed then.</exception>
    public void Commit(params IReadOnlyCollection<PendingLayer> layers)
    {
        foreach (var layer in layers)
        {
            layer.WriteRecord();
        }

        // What is on the disk already need not be waited for file by file when fs-verity is enabled.
        Files.SynchronizeFileSystem(Layers);
        bool sealing = false;
        foreach (var layer in layers)
        {
            sealing |= layer.TrySeal();
        }

        if (sealing)
        {
            Files.SynchronizeFileSystem(Layers);
        }

        foreach (var layer in layers)
        {
            layer.Publish();
        }

        Files.SynchronizeDirectory(Layers);
    }

    /// <summary>Removes a layer. Whoever has its tree mounted keeps what the kernel holds open, so nobody should.</summary>
    /// <returns>Whether it was here.</returns>
    public bool Remove(Digest diffId)
    {
        RemoveSeal(diffId);
        var name = RemovingPrefix + RandomName();
        switch (Files.TryRename(Layers, diffId.FileName, Layers, name))
        {
            case Errno.None: break;
            case Errno.ENOENT: return false;
            case var error: throw new KernelException($"remove layer {diffId}", error);
        }

        // Locked, so that no sweep empties it at the same time. A sweep that has been quicker has left nothing to do.
        using var directory = Files.TryOpen(Layers, name, DirectoryFlags, out _);
        if (directory is not null)
        {
            FileLock.Acquire(directory, LockKind.Exclusive);
            if (Names(name, directory))
            {
                Directories.RemoveTree(Layers, name);
            }
        }

        return true;
    }

    /// <summary>Removes what dead processes have left half unpacked or half removed.</summary>
    /// <returns>How many there were.</returns>
    public int Sweep()
    {
        int count = 0;
        foreach (var (name, _) in Directories.List(Layers))
        {
            if (!name.StartsWith(UnpackingPrefix, StringComparison.Ordinal) && !name.StartsWith(RemovingPrefix, StringComparison.Ordinal))
            {
                continue;
            }

            using var directory = Files.TryOpen(Layers, name, DirectoryFlags, out _);

            // The lock is kept until the directory is gone: who finds it taken just after making the directory tries another name.
            if (directory is not null && FileLock.TryAcquire(directory, LockKind.Exclusive) && Names(name, directory))
            {
                count += Directories.RemoveTree(Layers, name) ? 1 : 0;
            }
        }

        return count;
    }

    public void Dispose()
    {
        Layers.Dispose();
        seals.Dispose();
    }

    internal static string RandomName() => Guid.NewGuid().ToString("n");

    /// <summary>Whether the name still stands for the open directory: between opening and locking it may have been renamed.</summary>
    internal bool Names(string name, FileDescriptor directory) => Files.TryStatus(Layers, name, out _) is { } found && found.Inode == Files.Status(directory).Inode;

    static Digest? TryDigest(string name)
    {
        int dash = name.IndexOf('-');
        return dash > 0 && Digest.TryParse($"{name[..dash]}:{name[(dash + 1)..]}", out var digest) ? digest : null;
    }
}
