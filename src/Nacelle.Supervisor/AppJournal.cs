using System.Buffers.Binary;
using System.Text;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>What an app writes to one stream, line by line, on its way to the machine's journal.</summary>
/// <remarks>
/// systemd's native journal protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram a line, or a sealed file in memory where that would be too long. A journal
/// that is behind is waited for as a slow listener is; one that is gone costs its lines.
/// </remarks>
/// <param name="fields">What all lines have in common, as the protocol has it.</param>
sealed class AppJournal(FileDescriptor socket, byte[] fields)
{
    const int LongestLine = 1 << 20;

    readonly Queue<byte[]> waiting = new();
    byte[] line = [];
    int length;

    /// <summary>There are lines that it has not taken yet.</summary>
    public bool IsBehind => waiting.Count > 0;

    public void AddTo(PollSet set) => set.Add(socket, PollEvents.Writable, Pass);

    /// <param name="content">Without the line's end.</param>
    /// <param name="whole">The line ends here.</param>
    public void Write(ReadOnlySpan<byte> content, bool whole)
    {
        if (length + content.Length > line.Length)
        {
            Array.Resize(ref line, (length + content.Length) * 2);
        }

        content.CopyTo(line.AsSpan(length));
        length += content.Length;
        if (!whole && length < LongestLine)
        {
            return;
        }

        var text = line.AsSpan(0, length).TrimEnd((byte)'\r'); // a terminal's
        if (!text.IsEmpty)
        {
            waiting.Enqueue(Message(text, whole));
            Pass();
        }

        length = 0;
        if (line.Length > 2 * AppStream.ChunkSize)
        {
            line = [];
        }
    }

    /// <summary>The app has ended, and nobody waits for the journal any more.</summary>
    public void Finish()
    {
        Pass();
        waiting.Clear();
    }

    byte[] Message(ReadOnlySpan<byte> text, bool whole)
    {
        var partial = whole ? [] : "CONTAINER_PARTIAL_MESSAGE=true\n"u8;
        var size = (stackalloc byte[sizeof(ulong)]);
        BinaryPrimitives.WriteUInt64LittleEndian(size, (ulong)text.Length);
        return [.. fields, .. partial, .. "MESSAGE\n"u8, .. size, .. text, (byte)'\n'];
    }

    void Pass()
    {
        while (waiting.TryPeek(out var message) && Send(message) != Errno.EAGAIN)
        {
            waiting.Dequeue();
        }
    }

    Errno Send(byte[] message)
    {
        var refusal = Sockets.SendNow(socket, message);
        if (refusal != Errno.EMSGSIZE)
        {
            return refusal;
        }

        using var file = SealedMemory.Make("journal entry", message);
        return Sockets.SendNow(socket, [], file);
    }
}

/// <summary>The machine's journal, as the pod's PID 1 knows it.</summary>
/// <param name="Socket">The descriptor of the socket to it.</param>
/// <param name="Fields">That say which pod it is, as the protocol has them.</param>
/// <param name="HasOutput">The pod's own standard output goes there, too: apps' is not passed on to it again.</param>
/// <param name="HasErrors">As <paramref name="HasOutput"/>, standard error.</param>
sealed record PodJournal(int Socket, string Fields, bool HasOutput, bool HasErrors)
{
    const string Address = "/run/systemd/journal/socket";
    const int Error = 3, Information = 6; // priorities of syslog(3)

    /// <summary>Connects to the journal if it is wanted: always, or where there is one.</summary>
    /// <param name="socket">To be kept by PID 1.</param>
    /// <exception cref="Stage1Exception">There is none, and it was asked for.</exception>
    public static PodJournal? Connect(Stage1Options options, out FileDescriptor? socket)
    {
        socket = null;
        if (options.LogDriver is LogDriver.None or LogDriver.Files)
        {
            return null;
        }

        try
        {
            socket = Sockets.ConnectDatagrams(Address);
        }
        catch (KernelException problem)
        {
            return options.LogDriver == LogDriver.Journal ? throw new Stage1Exception($"--log-driver=journald: there is no journal on this machine: {problem.Message}") : null;
        }

        var name = Files.TryReadText(FileDescriptor.WorkingDirectory, "name") is { Length: > 0 } given ? $"NACELLE_POD_NAME={given}\n" : "";
        return new PodJournal(
            socket.Number, $"CONTAINER_ID={options.Uuid[..8]}\nCONTAINER_ID_FULL={options.Uuid}\n{name}", IsJournal(FileDescriptor.StandardOutput), IsJournal(FileDescriptor.StandardError));
    }

    /// <summary>Whoever has started us says so. See systemd.exec(5), JOURNAL_STREAM.</summary>
    static bool IsJournal(FileDescriptor stream) =>
        Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { } said && Files.TryStatus(stream, "", out _) is { } status && said == $"{status.FileSystem.Encoded}:{status.Inode}";

    /// <param name="stream">stdout or stderr.</param>
    public AppJournal Of(string app, string stream) => new(
        new FileDescriptor(Socket, "the journal", owned: false),
        Encoding.UTF8.GetBytes($"{Fields}CONTAINER_NAME={app}\nSYSLOG_IDENTIFIER={app}\nPRIORITY={(stream == "stderr" ? Error : Information)}\n"));

    public void WriteTo(BinaryWriter writer)
    {
        writer.Write(Socket);
        writer.Write(Fields);
        writer.Write(HasOutput);
        writer.Write(HasErrors);
    }

    public static PodJournal ReadFrom(BinaryReader reader) => new(reader.ReadInt32(), reader.ReadString(), reader.ReadBoolean(), reader.ReadBoolean());
}
