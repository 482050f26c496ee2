using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>
/// fs-verity: a file that nobody can write to any more, with a tree of hashes over its content that the kernel checks whenever something of it is read from the disk.
/// </summary>
/// <remarks>Documentation/filesystems/fsverity.rst. Hashes here are SHA-256 over blocks of 4096 bytes, without a salt. ext4 (5.4, with the feature "verity"), f2fs, btrfs (5.15).</remarks>
public static unsafe partial class FileVerity
{
    /// <summary>The number of SHA-256 among the kernel's hash algorithms.</summary>
    public const byte Sha256 = 1;

    const int DigestLength = 32;
    const uint BlockSize = 4096;
    const nuint FS_IOC_ENABLE_VERITY = 0x40806685, FS_IOC_MEASURE_VERITY = 0xC0046686;

    /// <summary>Seals the file for good. What is not on the disk yet is written first.</summary>
    /// <param name="file">Open for reading, and by nobody for writing.</param>
    /// <returns>None, also where it was enabled already; EOPNOTSUPP or ENOTTY: kernel or file system have no fs-verity; ETXTBSY: somebody may write to it.</returns>
    public static Errno TryEnable(FileDescriptor file)
    {
        var request = new EnableRequest { Version = 1, Algorithm = Sha256, BlockSize = BlockSize };
        while (true)
        {
            // SAFETY: the request lives on this stack frame for the whole call and has the 128 bytes of struct fsverity_enable_arg.
            switch (ioctl(file, FS_IOC_ENABLE_VERITY, &request) == 0 ? Errno.None : Call.LastError)
            {
                case Errno.EINTR: continue;
                case Errno.EEXIST: return Errno.None;
                case var error: return error;
            }
        }
    }

    /// <summary>The file's digest, which stands for all of its content: the hash of a descriptor with its length and the root of the tree. Nothing is read for it.</summary>
    /// <returns>32 bytes; null where the file has no fs-verity, or one of another algorithm.</returns>
    public static byte[]? TryMeasure(FileDescriptor file)
    {
        byte* digest = stackalloc byte[4 + DigestLength];
        *(ushort*)(digest + 2) = DigestLength;
        // SAFETY: struct fsverity_digest is two numbers of 16 bits, of which the second says how many bytes there are room for behind them.
        return ioctl(file, FS_IOC_MEASURE_VERITY, digest) == 0
            ? *(ushort*)digest == Sha256 ? new ReadOnlySpan<byte>(digest + 4, DigestLength).ToArray() : null
            : Call.LastError is Errno.ENODATA or Errno.EOPNOTSUPP or Errno.ENOTTY or Errno.EOVERFLOW ? null
            : throw new KernelException($"measure {file.Description}", Call.LastError);
    }

    struct EnableRequest
    {
        public uint Version, Algorithm, BlockSize, SaltSize;
        public ulong Salt;
        public uint SignatureSize, Reserved;
        public ulong Signature;
        public fixed ulong Reserved2[11];
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(FileDescriptor file, nuint request, void* argument);
}
