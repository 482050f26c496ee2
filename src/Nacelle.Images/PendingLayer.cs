using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>A layer being unpacked into the store: <see cref="Unpack"/>, then <see cref="LayerStore.Commit"/>; disposing an uncommitted one removes it.</summary>
public sealed class PendingLayer : IDisposable
{
    readonly LayerStore store;
    readonly string name;
    readonly FileDescriptor directory;
    UnpackResult? result;
    Digest? seal;
    bool gone;

    PendingLayer(LayerStore store, Digest diffId, string name, FileDescriptor directory) =>
        (this.store, DiffId, this.name, this.directory) = (store, diffId, name, directory);

    /// <summary>What the image says it should be.</summary>
    public Digest DiffId { get; private set; }

    internal static PendingLayer Create(LayerStore store, Digest diffId)
    {
        while (true)
        {
            var name = LayerStore.UnpackingPrefix + LayerStore.RandomName();
            Files.MakeDirectory(store.Layers, name, 0x1C0);

            // A sweep that comes between making and locking takes the directory for a dead process's and removes it.
            var directory = Files.TryOpen(store.Layers, name, LayerStore.DirectoryFlags, out _);
            if (directory is not null && FileLock.TryAcquire(directory, LockKind.Exclusive) && store.Names(name, directory))
            {
                Files.MakeDirectory(directory, LayerStore.RootfsName, 0x1C0);
                return new PendingLayer(store, diffId, name, directory);
            }

            directory?.Dispose();
        }
    }

    /// <summary>Unpacks into the pending directory; once. As <see cref="LayerUnpacker.Unpack"/>, with the hash that the diff-id names.</summary>
    /// <exception cref="LayerException">Also when the archive turns out to have another diff-id.</exception>
    public UnpackResult Unpack(
        Stream compressed, LayerCompression compression = LayerCompression.Detect, UnpackOptions? options = null, CancellationToken cancellation = default)
    {
        using var target = OpenRoot();
        var unpacked = LayerUnpacker.Unpack(
            compressed, compression, target, (options ?? new UnpackOptions()) with { DiffIdAlgorithm = DiffId.Algorithm }, cancellation);
        var actual = DiffId.Algorithm == "sha512" ? Digest.Sha512(unpacked.DiffId) : Digest.Sha256(unpacked.DiffId);
        if (actual != DiffId)
        {
            throw new LayerException("", $"the archive's digest is {actual}, and the image's configuration says {DiffId}");
        }

        return result = unpacked;
    }

    /// <summary>Puts a directory in the place of the (empty) root file system, for a layer whose diff-id is still to be found out.</summary>
    /// <returns>The directory; the caller owns the descriptor.</returns>
    internal FileDescriptor TakeOver(FileDescriptor parent, string name)
    {
        Files.Rename(parent, name, directory, LayerStore.RootfsName);
        return OpenRoot();
    }

    /// <summary>What was unpacked.</summary>
    internal UnpackResult Unpacked => result ?? throw new InvalidOperationException($"layer {DiffId} is not unpacked");

    /// <summary>Says what the directory that was taken over is.</summary>
    internal void Describe(UnpackResult taken)
    {
        DiffId = Digest.Sha256(taken.DiffId);
        result = taken;
    }

    /// <summary>The tree that was unpacked; the caller owns the descriptor.</summary>
    internal FileDescriptor OpenRoot() => Files.Open(directory, LayerStore.RootfsName, LayerStore.DirectoryFlags);

    /// <summary>The hash of the tree that was unpacked.</summary>
    internal Digest TreeHash(CancellationToken cancellation)
    {
        using var root = OpenRoot();
        return LayerHash.Of(root, cancellation);
    }

    /// <summary>Deletes what was unpacked unless it was committed, and lets go of the lock.</summary>
    public void Dispose()
    {
        if (!gone)
        {
            gone = true;
            Directories.RemoveTree(store.Layers, name);
        }

        directory.Dispose();
    }

    /// <summary>Writes what is known of the layer beside it; after that only the name is missing.</summary>
    internal void WriteRecord()
    {
        var unpacked = Unpacked;
        var record = new LayerRecord(DiffId, unpacked.TarBytes, unpacked.UnpackedBytes, unpacked.Entries, unpacked.RootIsOpaque, DateTimeOffset.UtcNow);
        Files.WriteAll(directory, LayerStore.RecordName, record.ToJson());
        if (unpacked.ImpliedDirectories.Count > 0)
        {
            Files.WriteAll(directory, LayerStore.ImpliedName, LayerStore.EncodeNames(unpacked.ImpliedDirectories));
        }

        // So that overlayfs and a mapped user can pass through; the store's own directory keeps others out.
        Files.SetMode(directory, 0x1ED);
    }

    /// <summary>Has the kernel watch over what was unpacked, where it can.</summary>
    internal bool TrySeal()
    {
        seal = store.CanSeal(directory) ? LayerSeal.TryMake(directory, DiffId, Unpacked, out _, CancellationToken.None) : null;
        return seal is not null;
    }

    internal void Publish()
    {
        if (gone)
        {
            return;
        }

        switch (Files.TryRename(store.Layers, name, store.Layers, DiffId.FileName, RenameFlags.NoReplace))
        {
            case Errno.None:
                gone = true;
                if (seal is { } known)
                {
                    store.WriteSeal(DiffId, known);
                }

                FileLock.Release(directory);
                break;
            case Errno.EEXIST: // Another process was faster; both trees are the same.
                gone = true;
                Directories.RemoveTree(store.Layers, name);
                break;
            case var error:
                throw new KernelException($"commit layer {DiffId}", error);
        }
    }
}
