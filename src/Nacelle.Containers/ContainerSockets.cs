using System.Buffers.Binary;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>A socket that a program finds open when it starts. See sd_listen_fds(3).</summary>
/// <param name="Name">For LISTEN_FDNAMES: of the port that the program knows.</param>
/// <param name="Given">One that listens already; null for one that is made in the container's network.</param>
/// <param name="Protocol">tcp, udp or sctp, of one that is made.</param>
public sealed record ContainerSocket(string Name, FileDescriptor? Given, string Protocol = "tcp", uint Port = 0);

/// <summary>Opens the sockets of a program and puts them from descriptor 3 up.</summary>
static class ContainerSockets
{
    const int First = 3, AF_INET = 2, AF_INET6 = 10, SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_CLOEXEC = 0x80000, IPPROTO_SCTP = 132, Backlog = 4096;
    const int SOL_SOCKET = 1, SO_REUSEADDR = 2, IPPROTO_IPV6 = 41, IPV6_V6ONLY = 26, F_DUPFD_CLOEXEC = 1030;

    public static void Connect(LaunchPlan plan, IReadOnlyList<ContainerSocket> sockets)
    {
        // By way of high numbers, as the standard streams: none overwrites another that is still needed.
        List<PlanValue> copies = [.. sockets.Select(socket => plan.CallForResult(
            $"hand over the socket {socket.Name}", SystemCall.fcntl, socket.Given is { } given ? plan.Descriptor(given) : Open(plan, socket), F_DUPFD_CLOEXEC, First + sockets.Count + 10))];
        for (int i = 0; i < copies.Count; i++)
        {
            plan.Call($"hand over the socket {sockets[i].Name}", SystemCall.dup3, copies[i], First + i, 0);
        }
    }

    /// <summary>What the program has to be told of them: words of its environment.</summary>
    public static IEnumerable<PlanValue> Environment(LaunchPlan plan, IReadOnlyList<ContainerSocket> sockets)
    {
        if (sockets.Count == 0)
        {
            return [];
        }

        const string Variable = "LISTEN_PID=";
        const int RoomForNumber = 21;
        var text = plan.Bytes([.. System.Text.Encoding.ASCII.GetBytes(Variable), .. new byte[RoomForNumber]]);
        plan.WriteDecimal("tell the program its number", plan.CallForResult("get the process's number", SystemCall.getpid), text, Variable.Length);
        return [plan.Text($"LISTEN_FDS={sockets.Count}"), plan.Text($"LISTEN_FDNAMES={string.Join(':', sockets.Select(socket => socket.Name))}"), text];
    }

    /// <summary>A socket for both Internet protocols, or for the older one where there is no other.</summary>
    static PlanValue Open(LaunchPlan plan, ContainerSocket socket)
    {
        var operation = $"listen on {socket.Protocol} port {socket.Port} ({socket.Name})";
        var (type, protocol) = socket.Protocol switch { "udp" => (SOCK_DGRAM, 0), "sctp" => (SOCK_STREAM, IPPROTO_SCTP), _ => (SOCK_STREAM, 0) };
        var opened = plan.NewCell();
        var on = plan.Bytes([1, 0, 0, 0]);
        var off = plan.Bytes([0, 0, 0, 0]);
        var newer = plan.Call(operation, SystemCall.socket, AF_INET6, type | SOCK_CLOEXEC, protocol).To(opened).TolerateAll();
        plan.Call(operation, SystemCall.setsockopt, opened, SOL_SOCKET, SO_REUSEADDR, on, 4);
        plan.Call(operation, SystemCall.setsockopt, opened, IPPROTO_IPV6, IPV6_V6ONLY, off, 4);
        Span<byte> address = stackalloc byte[28]; // struct sockaddr_in6, whose first fields are those of sockaddr_in too
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, AF_INET6);
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], (ushort)socket.Port);
        var bound = plan.Call(operation, SystemCall.bind, opened, plan.Bytes(address), 28).TolerateAll(); // what is wrong with the port, the older protocol says too
        newer.SkipToHereOnFailure();
        plan.Call(operation, SystemCall.socket, AF_INET, type | SOCK_CLOEXEC, protocol).To(opened);
        plan.Call(operation, SystemCall.setsockopt, opened, SOL_SOCKET, SO_REUSEADDR, on, 4);
        BinaryPrimitives.WriteUInt16LittleEndian(address, AF_INET);
        plan.Call(operation, SystemCall.bind, opened, plan.Bytes(address[..16]), 16);
        bound.SkipToHereOnSuccess();
        if (type == SOCK_STREAM)
        {
            plan.Call(operation, SystemCall.listen, opened, Backlog);
        }

        return opened;
    }
}
