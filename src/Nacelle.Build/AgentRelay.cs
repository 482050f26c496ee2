using System.Net.Sockets;
using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>A socket of the build's own behind which somebody's ssh agent answers: agents heed only their owner and root, and a command may be neither.</summary>
/// <remarks>It lies in a directory of the build, for one command, and ends when it is disposed. The keys never leave the agent.</remarks>
sealed class AgentRelay : IDisposable
{
    public const string Name = "agent";

    readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly CancellationTokenSource stop = new();
    readonly string agent;
    readonly Task serving;

    /// <param name="directory">Where the socket is made, as <see cref="Name"/>.</param>
    /// <param name="agent">The agent's socket.</param>
    public AgentRelay(FileDescriptor directory, string agent, MountFlag mount)
    {
        this.agent = agent;
        listener.Bind(new UnixDomainSocketEndPoint($"{directory.ProcPath}/{Name}")); // short, however long the directory's path is
        Files.SetOwner(directory, Name, mount.User, mount.Group);
        Files.SetMode(directory, Name, mount.Mode);
        listener.Listen();
        serving = ServeAsync();
    }

    public void Dispose()
    {
        stop.Cancel();
        serving.GetAwaiter().GetResult();
        listener.Dispose();
        stop.Dispose();
    }

    async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(RelayAsync(await listener.AcceptAsync(stop.Token)));
                connections.RemoveAll(connection => connection.IsCompleted);
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    async Task RelayAsync(Socket asking)
    {
        using (asking)
        {
            using var answering = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await answering.ConnectAsync(new UnixDomainSocketEndPoint(agent), stop.Token);
                await Task.WhenAny(CopyAsync(asking, answering), CopyAsync(answering, asking));
            }
            catch (Exception ended) when (ended is SocketException or OperationCanceledException)
            {
                // Who asks sees the connection end.
            }
        }
    }

    async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            for (int count; (count = await from.ReceiveAsync(buffer, stop.Token)) > 0;)
            {
                for (int sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), stop.Token);
                }
            }
        }
        catch (Exception ended) when (ended is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // As with any hang-up: the other direction ends too.
        }
    }
}
