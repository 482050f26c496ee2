using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Asks the kernel about the network of one network namespace, and changes it. See netlink(7) and rtnetlink(7).</summary>
public sealed unsafe partial class NetlinkSocket : IDisposable
{
    const int AF_NETLINK = 16, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000, NETLINK_ROUTE = 0, SOL_NETLINK = 270, NETLINK_EXT_ACK = 11, NETLINK_GET_STRICT_CHK = 12, MSG_TRUNC = 0x20;
    const ushort NLMSG_ERROR = 2, NLMSG_DONE = 3;
    internal const ushort NLM_F_ACK = 4, NLM_F_DUMP = 0x300, NLM_F_EXCL = 0x200, NLM_F_CREATE = 0x400;
    const ushort NLM_F_DUMP_INTR = 16, NLM_F_CAPPED = 0x100, NLM_F_ACK_TLVS = 0x200;

    readonly FileDescriptor socket;
    readonly byte[] buffer = new byte[65536];
    uint sequence;

    NetlinkSocket(FileDescriptor socket) => this.socket = socket;

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    public static NetlinkSocket Open()
    {
        var opened = new FileDescriptor(Call.Check(CreateSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "open a netlink socket", ""), "netlink");
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
        KernelException? failure = null;

        // Namespaces belong to threads: one of its own goes in, and ends.
        var thread = new Thread(() =>
        {
            try
            {
                Call.Check(setns(networkNamespace, (int)Namespaces.Network), "join", $"network namespace {networkNamespace}");
                opened = Open();
            }
            catch (KernelException caught)
            {
                failure = caught;
            }
        });
        thread.Start();
        thread.Join();
        return opened ?? throw failure!;
    }

    public void Dispose() => socket.Dispose();

    /// <summary>Has the kernel do something.</summary>
    /// <param name="operation">What it does and to what, for the error: <c>move network device eth0</c>.</param>
    internal void Request(string operation, NetlinkWriter message) => Exchange(operation, message, reply => { });

    /// <summary>Asks the kernel for one thing, or for all of a kind (NLM_F_DUMP).</summary>
    internal List<NetlinkMessage> Query(string operation, Func<NetlinkWriter> message)
    {
        const int Most = 20;
        for (int round = 0; ; round++)
        {
            var replies = new List<NetlinkMessage>();
            if (Exchange(operation, message(), replies.Add))
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

    /// <returns>Whether the answer is of one piece.</returns>
    bool Exchange(string operation, NetlinkWriter message, Action<NetlinkMessage> take)
    {
        Files.Write(socket, message.Finish(++sequence));
        bool whole = true;
        while (true)
        {
            for (var rest = Receive(operation); rest.Length >= NetlinkWriter.HeaderSize;)
            {
                int length = MemoryMarshal.Read<int>(rest);
                if (length < NetlinkWriter.HeaderSize || length > rest.Length)
                {
                    throw new KernelException(operation, Errno.EBADMSG);
                }

                var one = rest[..length];
                rest = rest[Math.Min((length + 3) & ~3, rest.Length)..];
                ushort type = MemoryMarshal.Read<ushort>(one[4..]), flags = MemoryMarshal.Read<ushort>(one[6..]);
                if (MemoryMarshal.Read<uint>(one[8..]) != sequence)
                {
                    continue; // left over from a request that failed
                }

                whole &= (flags & NLM_F_DUMP_INTR) == 0;
                if (type is NLMSG_ERROR or NLMSG_DONE)
                {
                    // The code is 0 for success; a kernel may leave it out at the end of a list.
                    int code = one.Length >= NetlinkWriter.HeaderSize + sizeof(int) ? MemoryMarshal.Read<int>(one[NetlinkWriter.HeaderSize..]) : 0;
                    return code >= 0 ? whole : throw new KernelException(operation + Explanation(type, flags, one), (Errno)(-code));
                }

                take(new(type, one[NetlinkWriter.HeaderSize..].ToArray()));
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
    private static partial int setns(FileDescriptor target, int kind);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(FileDescriptor socket, byte* buffer, nuint length, int flags);
}
