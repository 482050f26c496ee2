using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

/// <summary>Sockets with a place in the file system, named by directory and name: paths may be longer than an address holds.</summary>
public static unsafe partial class Sockets
{
    const int SOCK_DGRAM = 2, SO_PEERCRED = 17, Backlog = 128;

    /// <summary>Makes a socket that takes connections which keep message boundaries (SOCK_SEQPACKET), close-on-exec. Only its owner may connect.</summary>
    /// <exception cref="KernelException">EADDRINUSE: the name is taken.</exception>
    public static FileDescriptor Listen(FileDescriptor directory, string name)
    {
        var listener = Bind(directory, name, SOCK_SEQPACKET, 0x180);
        Call.Check(listen(listener, Backlog), "listen on", listener.Description);
        return listener;
    }

    /// <summary>Makes a socket that takes single messages from whoever may write to it, close-on-exec.</summary>
    public static FileDescriptor BindDatagrams(FileDescriptor directory, string name, uint mode) => Bind(directory, name, SOCK_DGRAM, mode);

    /// <summary>Connects to a socket of <see cref="Listen"/>.</summary>
    /// <exception cref="KernelException">ENOENT: no such socket; ECONNREFUSED: nobody listens any more.</exception>
    public static FileDescriptor ConnectMessages(FileDescriptor directory, string name) =>
        Connect($"{directory.Description}/{name}", PathOf(directory, name), SOCK_SEQPACKET);

    /// <summary>Connects to a datagram socket by its path or, with a leading @, its abstract name, as sd_notify(3) gives it.</summary>
    public static FileDescriptor ConnectDatagrams(string address)
    {
        byte[] name = Encoding.UTF8.GetBytes(address);
        if (name.Length > LongestName)
        {
            throw new KernelException($"connect to {address}", Errno.ENAMETOOLONG);
        }

        return address.StartsWith('@') ? Connect(address, [0, .. name[1..]], SOCK_DGRAM) : Connect(address, [.. name, 0], SOCK_DGRAM);
    }

    /// <summary>Takes the next connection, close-on-exec; null when none waits on a socket that does not block.</summary>
    public static FileDescriptor? TryAccept(FileDescriptor listener)
    {
        int number = accept4(listener, null, null, SOCK_CLOEXEC);
        return number >= 0 ? new FileDescriptor(number, $"connection to {listener.Description}")
            : Call.LastError is Errno.EAGAIN or Errno.EINTR or Errno.ECONNABORTED ? null
            : throw new KernelException($"accept on {listener.Description}", Call.LastError);
    }

    /// <summary>Who connected: the process, 0 when it is outside of this PID namespace, and the user as this user namespace knows it. See unix(7), SO_PEERCRED.</summary>
    public static (int Process, uint User) PeerOf(FileDescriptor connection)
    {
        int* credentials = stackalloc int[3];
        uint length = 12;
        // SAFETY: SO_PEERCRED writes one struct ucred of three ints, which is what was allocated.
        Call.Check(getsockopt(connection, SOL_SOCKET, SO_PEERCRED, credentials, &length), "get the peer of", connection.Description);
        return (credentials[0], (uint)credentials[1]);
    }

    /// <summary>The port that a socket of the Internet protocols is bound to; null for others.</summary>
    public static int? PortOf(FileDescriptor socket)
    {
        const int AF_INET = 2, AF_INET6 = 10;
        byte* address = stackalloc byte[128]; // struct sockaddr_storage
        uint length = 128;
        // SAFETY: getsockname writes at most as many bytes as it is told; the port lies in the same place in both structures.
        Call.Check(getsockname(socket, address, &length), "get the address of", socket.Description);
        return *(ushort*)address is AF_INET or AF_INET6 ? (address[2] << 8) | address[3] : null;
    }

    static FileDescriptor Bind(FileDescriptor directory, string name, int type, uint mode)
    {
        var bound = Open($"{directory.Description}/{name}", type);
        try
        {
            Span<byte> address = stackalloc byte[NameOffset + LongestName + 1];
            int length = Address(address, PathOf(directory, name));
            // SAFETY: the address is a struct sockaddr_un of the length given, pinned for the call.
            fixed (byte* start = address)
            {
                Call.Check(bind(bound, start, (uint)length), "bind", bound.Description);
            }

            Files.SetMode(directory, name, mode);
            return bound;
        }
        catch
        {
            bound.Dispose();
            throw;
        }
    }

    static byte[] PathOf(FileDescriptor directory, string name) => [.. Encoding.UTF8.GetBytes($"{directory.ProcPath}/{name}"), 0];

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(FileDescriptor socket, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int listen(FileDescriptor socket, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(FileDescriptor socket, void* address, uint* length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockname(FileDescriptor socket, byte* address, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(FileDescriptor socket, int level, int option, void* value, uint* length);
}
