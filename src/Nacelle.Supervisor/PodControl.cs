using System.Text;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>A connection to the control socket of a pod that runs. The working directory is the pod's.</summary>
sealed class PodControl : IDisposable
{
    public const string SocketName = "control.sock";

    PodControl(FileDescriptor socket) => Socket = socket;

    public FileDescriptor Socket { get; }

    public static PodControl Connect()
    {
        using var directory = Files.Open(".", OpenFlags.Path | OpenFlags.Directory);
        try
        {
            return new PodControl(Sockets.ConnectMessages(directory, SocketName));
        }
        catch (KernelException problem) when (problem.Errno is Errno.ENOENT or Errno.ECONNREFUSED)
        {
            throw new Stage1Exception("the pod is not running");
        }
    }

    /// <summary>Asks for something and waits for the answer.</summary>
    /// <exception cref="Stage1Exception">It was refused; says why.</exception>
    public void Ask(ControlMessage message, params ReadOnlySpan<FileDescriptor> descriptors)
    {
        Sockets.Send(Socket, message.ToBytes(), descriptors);
        var answer = new byte[4096];
        int length = Sockets.Receive(Socket, answer, out _);
        if (length == 0)
        {
            throw new Stage1Exception("the pod ended");
        }

        if (answer[0] != 0)
        {
            throw new Stage1Exception($"app {message.App}: {Encoding.UTF8.GetString(answer, 1, length - 1)}");
        }
    }

    /// <summary>As <see cref="Ask"/> for something that is not answered.</summary>
    public void Tell(ControlMessage message) => Sockets.Send(Socket, message.ToBytes());

    public void Dispose() => Socket.Dispose();
}
