using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Local sockets that carry descriptors. See unix(7).</summary>
public static unsafe partial class Sockets
{
    const int AF_UNIX = 1, SOCK_STREAM = 1, SOCK_SEQPACKET = 5, SOCK_CLOEXEC = 0x80000, MSG_CMSG_CLOEXEC = 0x40000000, SOL_SOCKET = 1, SCM_RIGHTS = 1;
    const int MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000, ControlSize = 16 + (MostDescriptors * sizeof(int));

    /// <summary>As many descriptors travel with a message at most (unix(7), SCM_RIGHTS).</summary>
    public const int MostDescriptors = 253;

    /// <summary>The bytes of a name in struct sockaddr_un, with one left for a zero.</summary>
    const int LongestName = 107, NameOffset = 2;

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

    /// <summary>Sends one message with descriptors, of which the receiver gets copies.</summary>
    /// <param name="descriptors">At most <see cref="MostDescriptors"/>.</param>
    public static void Send(FileDescriptor socket, ReadOnlySpan<byte> text, params ReadOnlySpan<FileDescriptor> descriptors)
    {
        int sent = SendMessage(socket, text, descriptors, 0);
        if (sent < 0)
        {
            Call.Throw("send to", socket.Description);
        }

        Files.Write(socket, text[sent..]);
    }

    /// <summary>Sends one message if that can be done now.</summary>
    /// <returns>False when the receiver is behind, or gone.</returns>
    public static bool TrySend(FileDescriptor socket, ReadOnlySpan<byte> text, params ReadOnlySpan<FileDescriptor> descriptors) =>
        SendMessage(socket, text, descriptors, MSG_DONTWAIT | MSG_NOSIGNAL) == text.Length;

    /// <summary>As <see cref="TrySend"/>, with the reason of failure: EAGAIN when the receiver is behind, EMSGSIZE when a datagram is too long.</summary>
    public static Errno SendNow(FileDescriptor socket, ReadOnlySpan<byte> text, params ReadOnlySpan<FileDescriptor> descriptors) =>
        SendMessage(socket, text, descriptors, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? Call.LastError : Errno.None;

    static int SendMessage(FileDescriptor socket, ReadOnlySpan<byte> text, ReadOnlySpan<FileDescriptor> descriptors, int flags)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, MostDescriptors);
        byte* control = stackalloc byte[ControlSize];
        *(nuint*)control = (nuint)(16 + (descriptors.Length * sizeof(int))); // struct cmsghdr with its ints; see cmsg(3)
        *(int*)(control + 8) = SOL_SOCKET;
        *(int*)(control + 12) = SCM_RIGHTS;
        for (int i = 0; i < descriptors.Length; i++)
        {
            *(int*)(control + 16 + (i * sizeof(int))) = descriptors[i].Number;
        }

        // SAFETY: as in ReceiveAll.
        fixed (byte* start = text)
        {
            var vector = new Vector { Start = start, Length = (nuint)text.Length };
            var message = new Message { Vectors = &vector, VectorCount = 1 };
            if (descriptors.Length > 0)
            {
                message.Control = control;
                message.ControlLength = *(nuint*)control;
            }

            nint sent;
            while ((sent = sendmsg(socket, &message, flags)) < 0 && Call.LastError == Errno.EINTR)
            {
            }

            foreach (var descriptor in descriptors)
            {
                GC.KeepAlive(descriptor);
            }

            return (int)sent;
        }
    }

    /// <summary>Receives one message with at most one descriptor, which the caller owns.</summary>
    /// <returns>The message's length, 0 when the other side is closed.</returns>
    public static int Receive(FileDescriptor socket, Span<byte> buffer, out FileDescriptor? descriptor)
    {
        int length = ReceiveAll(socket, buffer, out var all);
        descriptor = all.Count > 0 ? all[0] : null;
        foreach (var further in all.Skip(1))
        {
            further.Dispose();
        }

        return length;
    }

    /// <summary>Receives one message with its descriptors, which the caller owns. A longer message than the buffer is cut off.</summary>
    /// <returns>The message's length, 0 when the other side is closed.</returns>
    public static int ReceiveAll(FileDescriptor socket, Span<byte> buffer, out IReadOnlyList<FileDescriptor> descriptors)
    {
        byte* control = stackalloc byte[ControlSize];
        // SAFETY: the structures live on this frame, the buffer is pinned, and each length is that of what it stands beside.
        fixed (byte* start = buffer)
        {
            var vector = new Vector { Start = start, Length = (nuint)buffer.Length };
            var message = new Message { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlSize };
            nint length;
            while ((length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0)
            {
                if (Call.LastError != Errno.EINTR)
                {
                    Call.Throw("receive from", socket.Description);
                }
            }

            var received = new List<FileDescriptor>();
            if (message.ControlLength >= 16 && *(int*)(control + 8) == SOL_SOCKET && *(int*)(control + 12) == SCM_RIGHTS)
            {
                int count = (int)(*(nuint*)control - 16) / sizeof(int);
                for (int i = 0; i < count; i++)
                {
                    received.Add(new FileDescriptor(*(int*)(control + 16 + (i * sizeof(int))), $"received from {socket.Description}"));
                }
            }

            descriptors = received;
            return (int)length;
        }
    }

    /// <param name="description">For messages.</param>
    /// <param name="name">The address as it goes to the kernel, at most 108 bytes.</param>
    static FileDescriptor Connect(string description, ReadOnlySpan<byte> name, int type = SOCK_STREAM)
    {
        var opened = Open(description, type);
        Span<byte> address = stackalloc byte[NameOffset + LongestName + 1];
        int length = Address(address, name);
        // SAFETY: the address is a struct sockaddr_un of the length given, pinned for the call.
        fixed (byte* start = address)
        {
            if (connect(opened, start, (uint)length) < 0)
            {
                var failure = new KernelException($"connect to {description}", Call.LastError);
                opened.Dispose();
                throw failure;
            }
        }

        return opened;
    }

    static FileDescriptor Open(string description, int type) => new(Call.Check(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "open a socket for", description), description);

    /// <summary>Fills in a struct sockaddr_un.</summary>
    /// <returns>Its length.</returns>
    static int Address(Span<byte> address, ReadOnlySpan<byte> name)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(address, AF_UNIX);
        name.CopyTo(address[NameOffset..]);
        return NameOffset + name.Length;
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
