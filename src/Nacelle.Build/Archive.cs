using Nacelle.Images;
using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>Local tar archives, plain or compressed, which ADD unpacks.</summary>
static class Archive
{
    /// <returns>A directory with what is in it, to be closed by the caller; null where the file is no archive.</returns>
    /// <exception cref="BuildException">It is one, and cannot be unpacked.</exception>
    public static FileDescriptor? TryUnpack(BuildSession session, SourceTree tree, SourceItem item)
    {
        using var file = TreeHash.OpenFile(tree, item);
        if (!IsArchive(file))
        {
            return null;
        }

        var directory = session.Work.MakeDirectory();
        try
        {
            using var stream = new FileRangeStream(file, 0, item.Status.Size, owned: false);
            using var plain = AciDecompression.Open(stream);
            LayerUnpacker.Unpack(plain, LayerCompression.None, directory, new UnpackOptions(), session.Cancellation);
            return directory;
        }
        catch (Exception problem) when (problem is LayerException || AciDecompression.IsDamage(problem))
        {
            directory.Dispose();
            throw new BuildException($"the archive '{item.Path}': {(problem is LayerException ? problem.Message : "it is damaged")}");
        }
    }

    /// <summary>Whether the first header of what it decompresses to is one of tar.</summary>
    static bool IsArchive(FileDescriptor file)
    {
        try
        {
            using var stream = new FileRangeStream(file, 0, Files.Status(file).Size, owned: false);
            using var plain = AciDecompression.Open(stream);
            var block = new byte[TarHeader.Size];
            return plain.ReadAtLeast(block, block.Length, throwOnEndOfStream: false) == block.Length
                && new TarHeader(block) is { IsZero: false } header && header.ChecksumFits();
        }
        catch (Exception other) when (other is LayerException || AciDecompression.IsDamage(other))
        {
            return false; // something else that only looks compressed
        }
    }
}
