using System.Text;
using Nacelle.Linux;

namespace Nacelle.Systemd;

/// <summary>A connection over which one call is made after another: to a message bus, or straight to a service that speaks the protocol.</summary>
/// <remarks>See the D-Bus specification, "Authentication Protocol" and "Message Bus Specification".</remarks>
public sealed class BusConnection : IDisposable
{
    const string Bus = "org.freedesktop.DBus";

    readonly FileDescriptor socket;
    readonly bool direct;
    readonly int milliseconds;
    readonly Queue<BusMessage> signals = new();
    uint serial;

    BusConnection(FileDescriptor socket, bool direct, int milliseconds)
    {
        this.socket = socket;
        this.direct = direct;
        this.milliseconds = milliseconds;
    }

    /// <summary>Connects to a message bus.</summary>
    /// <param name="addresses">Server addresses, as DBUS_SYSTEM_BUS_ADDRESS has them: <c>unix:path=/run/dbus/system_bus_socket</c>; the first that works counts.</param>
    /// <param name="milliseconds">How long to wait for an answer.</param>
    /// <exception cref="KernelException">ENOENT, ECONNREFUSED: nobody is there; EACCES: not allowed.</exception>
    /// <exception cref="BusException">No address of a kind that is known, or the bus does not want us.</exception>
    public static BusConnection OpenBus(string addresses, int milliseconds = 30_000)
    {
        KernelException? refusal = null;
        foreach (var name in BusAddress.Parse(addresses))
        {
            try
            {
                var connection = Open(name, direct: false, milliseconds);
                try
                {
                    connection.Call(Bus, "/org/freedesktop/DBus", Bus, "Hello");
                    return connection;
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            }
            catch (KernelException failure)
            {
                refusal ??= failure;
            }
        }

        throw refusal as Exception ?? new BusException($"connect to '{addresses}'", "", "not the address of a local socket");
    }

    /// <summary>Connects to a service that has a socket of its own, as systemd has.</summary>
    /// <exception cref="KernelException">ENOENT, ECONNREFUSED: nobody is there; EACCES: not allowed.</exception>
    public static BusConnection OpenDirect(string path, int milliseconds = 30_000) => Open(path, direct: true, milliseconds);

    /// <summary>Calls a method and waits for the answer.</summary>
    /// <returns>The values that it returns.</returns>
    /// <exception cref="BusException">The method failed.</exception>
    /// <exception cref="KernelException">ETIMEDOUT: no answer; ECONNRESET: the other side has closed the connection.</exception>
    public IReadOnlyList<BusValue> Call(string destination, string path, string face, string member, params BusValue[] arguments)
    {
        var call = new BusMessage(BusMessageKind.Call)
        {
            Serial = ++serial, Path = path, Interface = face, Member = member, Destination = direct ? "" : destination, Body = arguments,
        };
        Files.Write(socket, call.ToBytes());
        long end = Environment.TickCount64 + milliseconds;
        while (true)
        {
            var message = Receive(member, end);
            if (message.Kind == BusMessageKind.Signal)
            {
                signals.Enqueue(message);
            }
            else if (message.ReplySerial == call.Serial)
            {
                return message.Kind == BusMessageKind.Return ? message.Body
                    : throw new BusException($"call {member} of {destination}", message.Error, message.Body is [{ Signature: "s" } text, ..] ? text.AsText : "failed");
            }
        }
    }

    /// <summary>Asks the bus for a signal; straight from a service all come.</summary>
    public void Subscribe(string sender, string path, string face, string member)
    {
        if (!direct)
        {
            Call(Bus, "/org/freedesktop/DBus", Bus, "AddMatch", BusValue.Text($"type='signal',sender='{sender}',path='{path}',interface='{face}',member='{member}'"));
        }
    }

    /// <summary>Waits for a signal that has come since the connection was made, or comes yet; others are dropped.</summary>
    /// <param name="matches">Whether these values are what is waited for.</param>
    /// <exception cref="KernelException">ETIMEDOUT: it did not come; ECONNRESET: the other side has closed the connection.</exception>
    public IReadOnlyList<BusValue> WaitForSignal(string face, string member, Func<IReadOnlyList<BusValue>, bool> matches)
    {
        long end = Environment.TickCount64 + milliseconds;
        while (true)
        {
            var message = signals.TryDequeue(out var queued) ? queued : Receive(member, end);
            if (message.Kind == BusMessageKind.Signal && message.Interface == face && message.Member == member && matches(message.Body))
            {
                return message.Body;
            }
        }
    }

    public void Dispose() => socket.Dispose();

    static BusConnection Open(string name, bool direct, int milliseconds)
    {
        var connection = new BusConnection(name[0] == '@' ? Sockets.ConnectAbstract(name[1..]) : Sockets.Connect(name), direct, milliseconds);
        try
        {
            connection.Authenticate();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The server knows who we are from the socket; saying nothing about it holds in a user namespace too, where we would say it wrongly.</summary>
    /// <remarks>
    /// All is said at once, as systemd's own programs do: its server forgets a message that it reads together with the BEGIN until more bytes come.
    /// When it has answered it has read the BEGIN.
    /// </remarks>
    void Authenticate()
    {
        Files.Write(socket, "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"u8);
        long end = Environment.TickCount64 + milliseconds;
        string answer = ReadLine(end);
        if (answer == "DATA")
        {
            answer = ReadLine(end);
        }

        if (!answer.StartsWith("OK ", StringComparison.Ordinal))
        {
            throw new BusException($"connect to {socket}", "", $"the server does not accept this user: {answer}");
        }
    }

    string ReadLine(long end)
    {
        const int LongestLine = 512;
        var line = new List<byte>();
        Span<byte> one = stackalloc byte[1];
        while (line.Count < LongestLine)
        {
            Fill(one, "authenticate", end);
            if (one[0] == '\n')
            {
                return Encoding.ASCII.GetString([.. line]).TrimEnd('\r');
            }

            line.Add(one[0]);
        }

        throw new BusException($"connect to {socket}", "", "the server does not speak D-Bus");
    }

    BusMessage Receive(string operation, long end)
    {
        Span<byte> prefix = stackalloc byte[BusMessage.PrefixLength];
        Fill(prefix, operation, end);
        var bytes = new byte[BusMessage.LengthOf(prefix)];
        prefix.CopyTo(bytes);
        Fill(bytes.AsSpan(prefix.Length), operation, end);
        return BusMessage.Parse(bytes);
    }

    void Fill(Span<byte> buffer, string operation, long end)
    {
        while (!buffer.IsEmpty)
        {
            long left = Math.Max(0, end - Environment.TickCount64);
            if (Polling.Wait([new PollEntry { Number = socket.Number, Wanted = PollEvents.Readable }], (int)left) == 0)
            {
                throw new KernelException($"wait for {operation} on {socket}", Errno.ETIMEDOUT);
            }

            int count = Files.Read(socket, buffer);
            buffer = count > 0 ? buffer[count..] : throw new KernelException($"wait for {operation} on {socket}", Errno.ECONNRESET);
        }
    }
}
