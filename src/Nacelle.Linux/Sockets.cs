using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Local sockets that carry descriptors. See unix(7).</summary>
public static unsafe partial class Sockets
{
    const int AF_UNIX = 1, SOCK_STREAM = 1, SOCK_SEQPACKET = 5, SOCK_CLOEXEC = 0x80000, MSG_CMSG_CLOEXEC = 0x40000000, SOL_SOCKET = 1, SCM_RIGHTS = 1;

    /// <summary>The bytes of a name in struct sockaddr_un, with one left for a zero.</summary>
    const int LongestName = 107;

    /// <summary>Two connected sockets that keep message boundaries, close-on-exec.</summary>
    public static (FileDescriptor One, FileDescriptor Other) CreatePair(string description)
    {
        int* pair = stackalloc int[2];
        // SAFETY: socketpair writes two ints, which is what was allocated.
        Call.Check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair", description);
        return (new FileDescriptor(pair[0], description), new FileDescriptor(pair[1], description));
    }

    /// <summary>Connects to a socket of the file system, close-on-exec.</summary>
    /// <param name="path">Of any length: a long one is reached by way of its directory, as the address holds 107 bytes only.</param>
    /// <exception cref="KernelException">ENOENT: no such socket; ECONNREFUSED: nobody listens.</exception>
    public static FileDescriptor Connect(string path)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(path) > LongestName)
        {
            using var directory = Files.Open(System.IO.Path.GetDirectoryName(path)!, OpenFlags.Path | OpenFlags.Directory);
            return Connect($"{directory.ProcPath}/{System.IO.Path.GetFileName(path)}");
        }

        return Connect(path, [.. System.Text.Encoding.UTF8.GetBytes(path), 0]);
    }

    /// <summary>Connects to a socket that has a name, but no place in the file system: see unix(7), "Abstract sockets". Close-on-exec.</summary>
    /// <exception cref="KernelException">ECONNREFUSED: nobody listens; ENAMETOOLONG: more than 107 bytes.</exception>
    public static FileDescriptor ConnectAbstract(string name) =>
        System.Text.Encoding.UTF8.GetByteCount(name) > LongestName
            ? throw new KernelException($"connect to @{name}", Errno.ENAMETOOLONG)
            : Connect("@" + name, [0, .. System.Text.Encoding.UTF8.GetBytes(name)]);

    /// <summary>Sends one message with a descriptor, of which the receiver gets a copy.</summary>
    public static void Send(FileDescriptor socket, ReadOnlySpan<byte> text, FileDescriptor descriptor)
    {
        byte* control = stackalloc byte[24];
        *(nuint*)control = 20; // struct cmsghdr with one int; see cmsg(3)
        *(int*)(control + 8) = SOL_SOCKET;
        *(int*)(control + 12) = SCM_RIGHTS;
        *(int*)(control + 16) = descriptor.Number;
        // SAFETY: as in Receive.
        fixed (byte* start = text)
        {
            var vector = new Vector { Start = start, Length = (nuint)text.Length };
            var message = new Message { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 24 };
            nint sent;
            while ((sent = sendmsg(socket, &message, 0)) < 0)
            {
                if (Call.LastError != Errno.EINTR)
                {
                    Call.Throw("send to", socket.Description);
                }
            }

            GC.KeepAlive(descriptor);
            Files.Write(socket, text[(int)sent..]);
        }
    }

    /// <summary>Receives one message with at most one descriptor, which the caller owns.</summary>
    /// <returns>The message's length, 0 when the other side is closed.</returns>
    public static int Receive(FileDescriptor socket, Span<byte> buffer, out FileDescriptor? descriptor)
    {
        descriptor = null;
        byte* control = stackalloc byte[24];
        // SAFETY: the structures live on this frame, the buffer is pinned, and each length is that of what it stands beside.
        fixed (byte* start = buffer)
        {
            var vector = new Vector { Start = start, Length = (nuint)buffer.Length };
            var message = new Message { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 24 };
            nint length;
            while ((length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0)
            {
                if (Call.LastError != Errno.EINTR)
                {
                    Call.Throw("receive from", socket.Description);
                }
            }

            if (message.ControlLength >= 20 && *(int*)(control + 8) == SOL_SOCKET && *(int*)(control + 12) == SCM_RIGHTS)
            {
                descriptor = new FileDescriptor(*(int*)(control + 16), $"received from {socket.Description}");
            }

            return (int)length;
        }
    }

    /// <param name="description">For messages.</param>
    /// <param name="name">The address as it goes to the kernel, at most 108 bytes.</param>
    static FileDescriptor Connect(string description, ReadOnlySpan<byte> name)
    {
        const int NameOffset = 2;
        var opened = new FileDescriptor(Call.Check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "open a socket for", description), description);
        byte* address = stackalloc byte[NameOffset + LongestName + 1];
        *(ushort*)address = AF_UNIX;
        name.CopyTo(new Span<byte>(address + NameOffset, LongestName + 1));
        // SAFETY: the address is a struct sockaddr_un of the length given.
        if (connect(opened, address, (uint)(NameOffset + name.Length)) < 0)
        {
            var failure = new KernelException($"connect to {description}", Call.LastError);
            opened.Dispose();
            throw failure;
        }

        return opened;
    }

    struct Vector
    {
        public byte* Start;
        public nuint Length;
    }

    struct Message
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, int* pair);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(FileDescriptor socket, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(FileDescriptor socket, Message* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(FileDescriptor socket, Message* message, int flags);
}
