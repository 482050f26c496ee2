using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Asks the kernel about the network of one network namespace, and changes it. See netlink(7) and rtnetlink(7). For one thread at a time.</summary>
public sealed unsafe partial class NetlinkSocket : IDisposable
{
    const int AF_NETLINK = 16, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000, NETLINK_ROUTE = 0, SOL_NETLINK = 270, NETLINK_EXT_ACK = 11, NETLINK_GET_STRICT_CHK = 12, MSG_TRUNC = 0x20;
    const ushort NLMSG_ERROR = 2, NLMSG_DONE = 3;
    internal const ushort NLM_F_ACK = 4, NLM_F_DUMP = 0x300, NLM_F_REPLACE = 0x100, NLM_F_EXCL = 0x200, NLM_F_CREATE = 0x400;
    const ushort NLM_F_DUMP_INTR = 16, NLM_F_CAPPED = 0x100, NLM_F_ACK_TLVS = 0x200;

    readonly FileDescriptor socket;
    readonly byte[] buffer = new byte[32768]; // as much as the kernel sends of a list at a time
    uint sequence;

    NetlinkSocket(FileDescriptor socket) => this.socket = socket;

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    public static NetlinkSocket Open() => Open(NETLINK_ROUTE);

    /// <param name="protocol">NETLINK_* of netlink(7).</param>
    internal static NetlinkSocket Open(int protocol)
    {
        var opened = new FileDescriptor(Call.Check(CreateSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), "open a netlink socket", ""), "netlink");
        int one = 1;
        // SAFETY: both options are ints, which is the length that is passed. Older kernels lack them: their errors are less clear, and they filter less.
        _ = setsockopt(opened, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(int));
        _ = setsockopt(opened, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(int));
        return new(opened);
    }

    /// <summary>Opens a socket in another network namespace; a socket stays in the namespace in which it was made.</summary>
    /// <param name="networkNamespace">A descriptor of /proc/PID/ns/net or of a bind mount of it. See network_namespaces(7).</param>
    /// <exception cref="KernelException">EPERM: takes CAP_SYS_ADMIN here and there; EINVAL: not a network namespace.</exception>
    public static NetlinkSocket Open(FileDescriptor networkNamespace)
    {
        NetlinkSocket? opened = null;
        NetworkNamespace.Run(networkNamespace, () => opened = Open());
        return opened!;
    }

    public void Dispose() => socket.Dispose();

    /// <summary>Has the kernel make changes, one after the other, by one call.</summary>
    /// <remarks>Where one fails, the kernel goes on with the next all the same: what was made has to be undone by whoever asked for it.</remarks>
    /// <exception cref="KernelException">The first of them that failed, by its own name.</exception>
    public void Apply(params ReadOnlySpan<NetworkChange> changes)
    {
        if (changes.IsEmpty)
        {
            return;
        }

        uint first = sequence + 1;
        var operations = new string[changes.Length];
        var message = new List<byte>();
        for (int i = 0; i < changes.Length; i++)
        {
            operations[i] = changes[i].Operation;

            // Failures are reported in any case; that the last is done says that all are.
            message.AddRange(changes[i].Message.Finish(++sequence, acknowledge: i == changes.Length - 1));
        }

        Exchange(CollectionsMarshal.AsSpan(message), first, sequence, at => operations[at], reply => { });
    }

    /// <summary>Has the kernel do something.</summary>
    /// <param name="operation">What it does and to what, for the error: <c>move network device eth0</c>.</param>
    internal void Request(string operation, NetlinkWriter message) => Apply(new NetworkChange(operation, message));

    /// <summary>Has the kernel make all changes of a transaction, or none.</summary>
    /// <exception cref="KernelException">The first of them that failed.</exception>
    internal void Commit(NetlinkWriter begin, IReadOnlyList<NetworkChange> changes, NetlinkWriter end)
    {
        uint first = sequence + 1;
        var message = new List<byte>();
        message.AddRange(begin.Finish(++sequence));
        for (int i = 0; i < changes.Count; i++)
        {
            // Only new kernels acknowledge the end of a transaction; they all do so with the messages in it, after the end.
            message.AddRange(changes[i].Message.Finish(++sequence, acknowledge: i == changes.Count - 1));
        }

        uint last = sequence;
        message.AddRange(end.Finish(++sequence));
        MakeRoom(message.Count);
        Exchange(CollectionsMarshal.AsSpan(message), first, last, at => at == 0 ? $"commit: {changes[0].Operation}" : changes[at - 1].Operation, reply => { });
    }

    /// <summary>A transaction goes in one piece, however long; the kernel's limit is meant for what waits to be read.</summary>
    void MakeRoom(int length)
    {
        const int SOL_SOCKET = 1, SO_SNDBUFFORCE = 32, Usual = 65536;
        if (length > Usual)
        {
            int room = length * 2;
            // SAFETY: the option is an int, which is the length that is passed.
            Call.Check(setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(int)), "enlarge the buffer of", socket.Description);
        }
    }

    /// <summary>Asks the kernel for one thing, or for all of a kind (NLM_F_DUMP).</summary>
    internal List<NetlinkMessage> Query(string operation, Func<NetlinkWriter> message)
    {
        const int Most = 20;
        for (int round = 0; ; round++)
        {
            var replies = new List<NetlinkMessage>();
            if (Exchange(message().Finish(++sequence), sequence, sequence, _ => operation, replies.Add))
            {
                return replies;
            }

            // What was listed changed meanwhile.
            if (round == Most)
            {
                throw new KernelException(operation, Errno.EAGAIN);
            }
        }
    }

    /// <param name="message">One request, or several with the numbers from <paramref name="first"/> to <paramref name="last"/>.</param>
    /// <param name="operation">What one of them does, by its place among them.</param>
    /// <returns>Whether the answer is of one piece.</returns>
    bool Exchange(ReadOnlySpan<byte> message, uint first, uint last, Func<int, string> operation, Action<NetlinkMessage> take)
    {
        Files.Write(socket, message);
        bool whole = true;
        while (true)
        {
            for (var rest = Receive(operation(0)); rest.Length >= NetlinkWriter.HeaderSize;)
            {
                int length = MemoryMarshal.Read<int>(rest);
                if (length < NetlinkWriter.HeaderSize || length > rest.Length)
                {
                    throw new KernelException(operation(0), Errno.EBADMSG);
                }

                var one = rest[..length];
                rest = rest[Math.Min((length + 3) & ~3, rest.Length)..];
                ushort type = MemoryMarshal.Read<ushort>(one[4..]), flags = MemoryMarshal.Read<ushort>(one[6..]);
                uint place = MemoryMarshal.Read<uint>(one[8..]) - first;
                if (place > last - first)
                {
                    continue; // left over from a request that failed
                }

                whole &= (flags & NLM_F_DUMP_INTR) == 0;
                if (type is NLMSG_ERROR or NLMSG_DONE)
                {
                    // The code is 0 for success; a kernel may leave it out at the end of a list.
                    int code = one.Length >= NetlinkWriter.HeaderSize + sizeof(int) ? MemoryMarshal.Read<int>(one[NetlinkWriter.HeaderSize..]) : 0;
                    if (code < 0)
                    {
                        throw new KernelException(operation((int)place) + Explanation(type, flags, one), (Errno)(-code));
                    }

                    if (place == last - first)
                    {
                        return whole;
                    }
                }
                else
                {
                    take(new(type, one[NetlinkWriter.HeaderSize..].ToArray()));
                }
            }
        }
    }

    /// <summary>What the kernel says of an error in words, as <c> (…)</c>; Linux 4.12.</summary>
    static string Explanation(ushort type, ushort flags, ReadOnlySpan<byte> error)
    {
        const ushort NLMSGERR_ATTR_MSG = 1;
        if (type != NLMSG_ERROR || (flags & NLM_F_ACK_TLVS) == 0 || error.Length < (2 * NetlinkWriter.HeaderSize) + sizeof(int))
        {
            return "";
        }

        // struct nlmsgerr: the code, and the header of the request or all of it.
        int echo = (flags & NLM_F_CAPPED) != 0 ? NetlinkWriter.HeaderSize : (MemoryMarshal.Read<int>(error[(NetlinkWriter.HeaderSize + sizeof(int))..]) + 3) & ~3;
        var attributes = new NetlinkAttributes(error[Math.Clamp(NetlinkWriter.HeaderSize + sizeof(int) + echo, 0, error.Length)..]);
        while (attributes.MoveNext())
        {
            if (attributes.Type == NLMSGERR_ATTR_MSG)
            {
                return $" ({attributes.Text})";
            }
        }

        return "";
    }

    ReadOnlySpan<byte> Receive(string operation)
    {
        // SAFETY: the array is pinned for the call, and its length is passed beside it.
        fixed (byte* start = buffer)
        {
            while (true)
            {
                // With MSG_TRUNC the length is that of the message, also where it was cut off.
                nint length = recv(socket, start, (nuint)buffer.Length, MSG_TRUNC);
                if (length > buffer.Length)
                {
                    throw new KernelException(operation, Errno.EMSGSIZE);
                }

                if (length >= 0)
                {
                    return buffer.AsSpan(0, (int)length);
                }

                if (Call.LastError != Errno.EINTR)
                {
                    Call.Throw(operation, "");
                }
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int CreateSocket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(FileDescriptor socket, int level, int name, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(FileDescriptor socket, byte* buffer, nuint length, int flags);
}
