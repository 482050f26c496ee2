using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Local sockets that carry descriptors. See unix(7).</summary>
public static unsafe partial class Sockets
{
    const int AF_UNIX = 1, SOCK_SEQPACKET = 5, SOCK_CLOEXEC = 0x80000, MSG_CMSG_CLOEXEC = 0x40000000, SOL_SOCKET = 1, SCM_RIGHTS = 1;

    /// <summary>Two connected sockets that keep message boundaries, close-on-exec.</summary>
    public static (FileDescriptor One, FileDescriptor Other) CreatePair(string description)
    {
        int* pair = stackalloc int[2];
        // SAFETY: socketpair writes two ints, which is what was allocated.
        Call.Check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair", description);
        return (new FileDescriptor(pair[0], description), new FileDescriptor(pair[1], description));
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
    private static partial nint recvmsg(FileDescriptor socket, Message* message, int flags);
}
