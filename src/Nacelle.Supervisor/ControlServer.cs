using System.Text;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>The pod's control socket: takes connections and their messages, and answers each with nothing, for done, or with why not.</summary>
/// <remarks>
/// The socket lies in the pod's directory, which is root's, and no app sees it. To be sure, whoever connects is asked for: who has a number in the pod's PID
/// namespace is in the pod.
/// </remarks>
/// <param name="handle">Answers a message: the text of a refusal, empty for done, null for later.</param>
sealed class ControlServer(FileDescriptor listener, bool hostProcesses, Func<ControlConnection, ControlMessage, IReadOnlyList<FileDescriptor>, string?> handle)
{
    readonly List<ControlConnection> connections = [];
    readonly byte[] buffer = new byte[ControlMessage.LongestMessage];

    public void AddTo(PollSet set)
    {
        set.Add(listener, PollEvents.Readable, Accept);
        foreach (var connection in connections)
        {
            set.Add(connection.Socket, PollEvents.Readable, () => Take(connection));
        }
    }

    void Accept()
    {
        if (Sockets.TryAccept(listener) is { } socket)
        {
            var (process, user) = Sockets.PeerOf(socket);
            if (hostProcesses ? user == 0 : process == 0)
            {
                connections.Add(new ControlConnection(socket));
            }
            else
            {
                socket.Dispose();
            }
        }
    }

    void Take(ControlConnection connection)
    {
        if (connection.Socket.IsClosed)
        {
            return;
        }

        IReadOnlyList<FileDescriptor> descriptors = [];
        try
        {
            int length = Sockets.ReceiveAll(connection.Socket, buffer, out descriptors);
            if (length == 0)
            {
                Close(connection);
                return;
            }

            var answer = ControlMessage.TryParse(buffer.AsSpan(0, length)) is { } message ? handle(connection, message, descriptors) : "the message is not understood";
            if (answer is not null)
            {
                connection.Answer(answer);
            }
        }
        catch (KernelException)
        {
            Close(connection); // the other side died with an answer unread
        }
    }

    /// <summary>Answers those who wait for this app's end, and lets those go who are attached to it.</summary>
    public void Ended(string app)
    {
        foreach (var connection in connections.ToArray())
        {
            if (connection.WaitsFor == app)
            {
                connection.WaitsFor = null;
                connection.Answer("");
            }

            if (connection.AttachedTo == app)
            {
                Close(connection);
            }
        }
    }

    void Close(ControlConnection connection)
    {
        connections.Remove(connection);
        connection.Socket.Dispose();
    }
}

/// <summary>One who has connected, and what for.</summary>
sealed class ControlConnection(FileDescriptor socket)
{
    public FileDescriptor Socket => socket;

    /// <summary>An app whose end is to be told.</summary>
    public string? WaitsFor { get; set; }

    public string? AttachedTo { get; set; }

    public void Answer(string text) => Sockets.TrySend(socket, [(byte)(text.Length == 0 ? 0 : 1), .. Encoding.UTF8.GetBytes(text)]);
}
