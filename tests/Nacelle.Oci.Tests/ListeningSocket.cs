using System.Net.Sockets;
using System.Text;
using Nacelle.Linux;

namespace Nacelle.Oci.Tests;

/// <summary>A socket of the file system on which a runtime hands over descriptors: a terminal, or a seccomp listener.</summary>
sealed class ListeningSocket : IDisposable
{
    const int Patience = 20_000_000; // microseconds

    readonly Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public ListeningSocket(string path)
    {
        Path = path;
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
    }

    public string Path { get; }

    /// <summary>Whether somebody connects who was not taken yet.</summary>
    public bool IsWanted => socket.Poll(0, SelectMode.SelectRead);

    /// <summary>Takes one connection and all that is sent on it until the other side closes it.</summary>
    /// <returns>The text, and the descriptors, which the caller owns.</returns>
    public (string Text, IReadOnlyList<FileDescriptor> Descriptors) Take()
    {
        Assert.True(socket.Poll(Patience, SelectMode.SelectRead), $"nobody connects to {Path}");
        using var connection = socket.Accept();
        using var file = new FileDescriptor((int)connection.Handle, Path, owned: false);
        var text = new StringBuilder();
        var descriptors = new List<FileDescriptor>();
        var buffer = new byte[4096];
        while (true)
        {
            Assert.True(connection.Poll(Patience, SelectMode.SelectRead), $"the connection to {Path} stays open");
            int length = Sockets.Receive(file, buffer, out var descriptor);
            if (descriptor is not null)
            {
                descriptors.Add(descriptor);
            }

            if (length == 0)
            {
                return (text.ToString(), descriptors);
            }

            text.Append(Encoding.UTF8.GetString(buffer, 0, length));
        }
    }

    public void Dispose()
    {
        socket.Dispose();
        File.Delete(Path);
    }
}
