using System.Runtime.ExceptionServices;
using Nacelle.Images;
using Nacelle.Linux;

namespace Nacelle.Pods;

/// <summary>How files are copied between this machine and a pod.</summary>
public sealed record PodCopyOptions
{
    /// <summary>Keep: by number, as the app has them, those of its user namespace included. Root: all belongs to root, which may be the pod's.</summary>
    public OwnerPolicy Owners { get; init; } = OwnerPolicy.Keep;

    /// <summary>Of a source that is a symlink, what it leads to is copied.</summary>
    public bool FollowsLink { get; init; }

    public PlacementPolicy Policy { get; init; }
}

/// <summary>Copies files into pods and out of them: what is read is written as an archive, which is unpacked beside the place where it is to go, and then put there.</summary>
/// <remarks>So both sides may be in the hands of whoever would like us to read or write elsewhere; see <see cref="TreeArchive"/> and <see cref="TreePlacement"/>.</remarks>
public static class PodCopy
{
    /// <param name="warn">Told of what could not be copied and does not stop the rest.</param>
    /// <exception cref="PodException">It cannot be done; nothing has changed.</exception>
    public static void Copy(CopyPlace source, CopyPlace destination, PodCopyOptions options, Action<string> warn, CancellationToken cancellation)
    {
        using var from = source.OpenSource(options.FollowsLink);
        bool isDirectory = Files.Status(from).Kind == FileKind.Directory;
        var (directory, name) = destination.OpenTarget(source.Name, isDirectory, options.Policy);
        using (directory)
        {
            using var placement = Begin(directory);
            var own = placement.Identity;
            var archived = new TreeArchiveOptions { Owners = source.Owners, Keep = (_, status) => (status.Inode, status.FileSystem) != own };
            using var archive = new ArchivePipe(stream => Write(stream, from, name, archived, cancellation));
            Unpack(archive.Reader, LayerCompression.None, placement, destination, options, warn, cancellation, archive.Finish);
        }
    }

    /// <summary>Writes what is copied as a tar archive, which names owners as the app has them.</summary>
    /// <inheritdoc cref="Copy"/>
    public static void WriteArchive(CopyPlace source, FileDescriptor output, PodCopyOptions options, CancellationToken cancellation)
    {
        using var from = source.OpenSource(options.FollowsLink);
        using var buffered = new BufferedStream(new DescriptorStream(output), 65536);
        Speaking(() => Write(buffered, from, source.Name, new TreeArchiveOptions { Owners = source.Owners }, cancellation));
    }

    /// <summary>Unpacks a tar archive, compressed or not, in a directory.</summary>
    /// <inheritdoc cref="Copy"/>
    public static void ReadArchive(FileDescriptor input, CopyPlace destination, PodCopyOptions options, Action<string> warn, CancellationToken cancellation)
    {
        using var directory = destination.OpenDirectory();
        using var placement = Begin(directory);
        Unpack(new DescriptorSource(input), LayerCompression.Detect, placement, destination, options, warn, cancellation, () => { });
    }

    static void Write(Stream stream, FileDescriptor from, string? name, TreeArchiveOptions options, CancellationToken cancellation)
    {
        if (name is null)
        {
            TreeArchive.WriteContent(stream, from, options, cancellation);
        }
        else
        {
            TreeArchive.Write(stream, from, name, options, cancellation);
        }
    }

    static TreePlacement Begin(FileDescriptor directory)
    {
        try
        {
            return TreePlacement.Beside(directory);
        }
        catch (KernelException problem) when (problem.Errno is Errno.EROFS or Errno.EPERM or Errno.EACCES or Errno.ENOSPC or Errno.EDQUOT)
        {
            throw new PodException($"{directory.Description}: nothing can be written there: {problem.Errno}");
        }
    }

    /// <param name="finish">Called when the archive has been read; throws if it was not whole.</param>
    static void Unpack(
        Stream archive, LayerCompression compression, TreePlacement placement, CopyPlace destination, PodCopyOptions options, Action<string> warn,
        CancellationToken cancellation, Action finish) => Speaking(() =>
    {
        var unpack = new UnpackOptions { Content = ArchiveContent.Tree, Owners = options.Owners, Shift = destination.Owners, Attributes = AttributePolicy.WherePossible };
        UnpackResult result;
        try
        {
            result = LayerUnpacker.Unpack(archive, compression, placement.Content, unpack, cancellation);
        }
        catch (LayerException)
        {
            finish(); // who wrote the archive knows better what was wrong
            throw;
        }

        finish();
        cancellation.ThrowIfCancellationRequested();
        placement.Place(options.Policy, destination.Owners, result.ImpliedDirectories);
        if (result.AttributesIgnored > 0)
        {
            warn($"{result.AttributesIgnored} extended attributes were left out: the file system does not take them");
        }
    });

    /// <summary>A layer's faults are a copy's here.</summary>
    static void Speaking(Action work)
    {
        try
        {
            work();
        }
        catch (LayerException problem)
        {
            throw new PodException(problem.Entry.Length == 0 ? problem.Rule : $"{LayerException.Printable(problem.Entry)} {problem.Rule}");
        }
    }

    /// <summary>An archive that is written while it is read.</summary>
    sealed class ArchivePipe : IDisposable
    {
        readonly FileDescriptor reading, writing;
        readonly Thread writer;
        ExceptionDispatchInfo? failure;

        public ArchivePipe(Action<Stream> write)
        {
            (reading, writing) = Files.CreatePipe("the copy");
            Reader = new DescriptorSource(reading);
            writer = new Thread(() => Write(write)) { IsBackground = true };
            writer.Start();
        }

        public Stream Reader { get; }

        void Write(Action<Stream> write)
        {
            try
            {
                using (writing)
                using (var buffered = new BufferedStream(new DescriptorStream(writing), 65536))
                {
                    write(buffered);
                }
            }
            catch (Exception problem)
            {
                failure = ExceptionDispatchInfo.Capture(problem);
            }
        }

        /// <summary>Waits for the writer, and throws what it has thrown.</summary>
        public void Finish()
        {
            reading.Dispose(); // if there is more to write, nobody wants it
            writer.Join();
            if (failure is not { SourceException: KernelException { Errno: Errno.EPIPE } })
            {
                failure?.Throw();
            }
        }

        public void Dispose()
        {
            reading.Dispose();
            writer.Join();
        }
    }
}
