using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Files in memory that nobody can change any more, by whatever way they get hold of them. See memfd_create(2), F_ADD_SEALS in fcntl(2).</summary>
public static partial class SealedMemory
{
    const uint MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_NOEXEC_SEAL = 8, MFD_EXEC = 0x10;
    const int F_ADD_SEALS = 1033, AllSeals = 0xF; // seal, shrink, grow, write

    /// <summary>A file that is no program; its position is at its end.</summary>
    public static FileDescriptor Make(string name, ReadOnlySpan<byte> content)
    {
        int number = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
        if (number < 0 && Call.LastError == Errno.EINVAL)
        {
            number = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); // before Linux 6.3
        }

        return Fill(new FileDescriptor(Call.Check(number, "memfd_create", name), name), content);
    }

    /// <summary>A program.</summary>
    /// <returns>Null where the machine forbids programs in such files (sysctl vm.memfd_noexec=2).</returns>
    internal static FileDescriptor? TryMake(string name, ReadOnlySpan<byte> content)
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

        return Fill(new FileDescriptor(number, name), content);
    }

    static FileDescriptor Fill(FileDescriptor file, ReadOnlySpan<byte> content)
    {
        Files.Write(file, content);
        Call.Check(fcntl(file, F_ADD_SEALS, AllSeals), "seal", file.Description);
        return file;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(FileDescriptor file, int command, nint argument);
}
