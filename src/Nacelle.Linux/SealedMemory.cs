using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Executable files in memory that nobody can change any more, by whatever way they get hold of them. See memfd_create(2), F_ADD_SEALS in fcntl(2).</summary>
static partial class SealedMemory
{
    const uint MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_EXEC = 0x10;
    const int F_ADD_SEALS = 1033, AllSeals = 0xF; // seal, shrink, grow, write

    /// <returns>Null where the machine forbids programs in such files (sysctl vm.memfd_noexec=2).</returns>
    public static FileDescriptor? TryMake(string name, ReadOnlySpan<byte> content)
    {
        int number = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
        if (number < 0 && Call.LastError == Errno.EINVAL)
        {
            number = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); // before Linux 6.3
        }

        if (number < 0)
        {
            return Call.LastError == Errno.EACCES ? null : throw new KernelException($"memfd_create {name}", Call.LastError);
        }

        var file = new FileDescriptor(number, name);
        Files.Write(file, content);
        Call.Check(fcntl(file, F_ADD_SEALS, AllSeals), "seal", name);
        return file;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(FileDescriptor file, int command, nint argument);
}
