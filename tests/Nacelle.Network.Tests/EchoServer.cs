using System.Net;
using System.Net.Sockets;
using System.Text;
using Nacelle.Linux;

namespace Nacelle.Network.Tests;

/// <summary>Tells whoever asks, by TCP or UDP, from which address he does.</summary>
sealed class EchoServer : IDisposable
{
    readonly List<Socket> sockets = [];
    readonly List<Thread> threads = [];

    /// <param name="space">The namespace in which it listens; null for that of the thread.</param>
    /// <param name="name">What it says before the address.</param>
    public EchoServer(FileDescriptor? space, string name, int port)
    {
        void Open()
        {
            foreach (var type in (SocketType[])[SocketType.Stream, SocketType.Dgram])
            {
                var socket = new Socket(AddressFamily.InterNetworkV6, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp) { DualMode = true };
                socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
                sockets.Add(socket);
            }
        }

        if (space is null)
        {
            Open();
        }
        else
        {
            NetworkNamespace.Run(space, Open);
        }

        sockets[0].Listen();
        threads.Add(Start(() =>
        {
            using var connection = sockets[0].Accept();
            connection.Send(Encoding.ASCII.GetBytes(name + Text((IPEndPoint)connection.RemoteEndPoint!)));
        }));
        threads.Add(Start(() =>
        {
            EndPoint from = new IPEndPoint(IPAddress.IPv6Any, 0);
            sockets[1].ReceiveFrom(new byte[100], ref from);
            sockets[1].SendTo(Encoding.ASCII.GetBytes(name + Text((IPEndPoint)from)), from);
        }));
    }

    /// <summary>What a server answers; null where none does within a while.</summary>
    /// <param name="space">The namespace from which it is asked; null for that of the thread.</param>
    public static string? Ask(FileDescriptor? space, string address, int port, ProtocolType protocol)
    {
        string? answer = null;
        void Talk()
        {
            var end = new IPEndPoint(IPAddress.Parse(address), port);
            using var socket = new Socket(end.AddressFamily, protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram, protocol) { ReceiveTimeout = 1500, SendTimeout = 1500, Blocking = true };
            try
            {
                socket.Connect(end);
                socket.Send("?"u8);
                var buffer = new byte[200];
                answer = Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer));
            }
            catch (SocketException)
            {
            }
        }

        if (space is null)
        {
            Talk();
        }
        else
        {
            NetworkNamespace.Run(space, Talk);
        }

        return answer;
    }

    public void Dispose()
    {
        foreach (var socket in sockets)
        {
            socket.Dispose();
        }

        threads.ForEach(thread => thread.Join());
    }

    static Thread Start(Action serve)
    {
        var thread = new Thread(() =>
        {
            while (true)
            {
                try
                {
                    serve();
                }
                catch (Exception ended) when (ended is SocketException { SocketErrorCode: not SocketError.ConnectionReset } or ObjectDisposedException)
                {
                    return;
                }
                catch (SocketException)
                {
                }
            }
        });
        thread.Start();
        return thread;
    }

    static string Text(IPEndPoint end) => end.Address.IsIPv4MappedToIPv6 ? end.Address.MapToIPv4().ToString() : end.Address.ToString();
}
