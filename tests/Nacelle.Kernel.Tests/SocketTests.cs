using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public sealed class SocketTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Several_descriptors_travel_with_a_message_in_their_order()
    {
        var (one, other) = Sockets.CreatePair("test");
        using (one)
        using (other)
        {
            var pipes = Enumerable.Range(0, 5).Select(_ => Files.CreatePipe("test")).ToList();
            Sockets.Send(one, "five"u8, [.. pipes.Select(pipe => pipe.Write)]);
            var buffer = new byte[16];
            Assert.Equal(4, Sockets.ReceiveAll(other, buffer, out var received));
            Assert.Equal(5, received.Count);
            for (int i = 0; i < 5; i++)
            {
                Assert.False(received[i].Inherited);
                Files.Write(received[i], [(byte)i]);
                received[i].Dispose();
                pipes[i].Write.Dispose();
                Assert.Equal(1, Files.Read(pipes[i].Read, buffer));
                Assert.Equal(i, buffer[0]);
                pipes[i].Read.Dispose();
            }
        }
    }

    [Fact]
    public void Who_wants_one_descriptor_keeps_none_of_the_others()
    {
        var (one, other) = Sockets.CreatePair("test");
        var (read, write) = Files.CreatePipe("test");
        using (one)
        using (other)
        using (read)
        {
            Sockets.Send(one, "two"u8, write, write);
            write.Dispose();
            Sockets.Receive(other, new byte[16], out var received);
            received!.Dispose();
            Assert.Equal(0, Files.Read(read, new byte[1])); // nobody holds the other end
        }
    }

    [Fact]
    public void Connections_keep_messages_apart_and_know_who_made_them()
    {
        using var at = Files.Open(directory.Path, OpenFlags.Path | OpenFlags.Directory);
        using var listener = Sockets.Listen(at, "socket");
        listener.SetNonBlocking();
        Assert.Null(Sockets.TryAccept(listener));
        using var client = Sockets.ConnectMessages(at, "socket");
        using var server = Sockets.TryAccept(listener)!;
        Assert.Equal((Environment.ProcessId, Processes.EffectiveUserId), Sockets.PeerOf(server));
        Sockets.Send(client, "one"u8);
        Assert.True(Sockets.TrySend(client, "three"u8));
        var buffer = new byte[16];
        Assert.Equal(3, Sockets.Receive(server, buffer, out _));
        Assert.Equal(5, Sockets.Receive(server, buffer, out _));
        Assert.Equal(0x180u, Files.Status(at, "socket").Permissions);
        Assert.Equal(Errno.EADDRINUSE, Assert.Throws<KernelException>(() => Sockets.Listen(at, "socket")).Errno);
    }

    [Fact]
    public void What_cannot_be_sent_now_is_told_instead_of_waited_for()
    {
        var (one, other) = Sockets.CreatePair("test");
        using (one)
        {
            int sent = 0;
            while (Sockets.TrySend(one, new byte[1000]))
            {
                Assert.True(++sent < 100_000);
            }

            other.Dispose();
            Assert.False(Sockets.TrySend(one, "gone"u8));
        }
    }

    [Fact]
    public void Nobody_listens_where_nobody_is()
    {
        using var at = Files.Open(directory.Path, OpenFlags.Path | OpenFlags.Directory);
        Assert.Equal(Errno.ENOENT, Assert.Throws<KernelException>(() => Sockets.ConnectMessages(at, "socket")).Errno);
        Sockets.Listen(at, "socket").Dispose();
        Assert.Equal(Errno.ECONNREFUSED, Assert.Throws<KernelException>(() => Sockets.ConnectMessages(at, "socket")).Errno);
    }

    [Fact]
    public void Datagrams_go_by_path_or_abstract_name()
    {
        using var at = Files.Open(directory.Path, OpenFlags.Path | OpenFlags.Directory);
        using var receiver = Sockets.BindDatagrams(at, "notify", 0x1B6);
        using (var sender = Sockets.ConnectDatagrams(directory.Path + "/notify"))
        {
            Sockets.TrySend(sender, "READY=1"u8);
        }

        Assert.Equal(7, Files.Read(receiver, new byte[64]));
        Assert.Equal(Errno.ECONNREFUSED, Assert.Throws<KernelException>(() => Sockets.ConnectDatagrams("@nacelle-nobody")).Errno);
        Assert.Equal(Errno.ENAMETOOLONG, Assert.Throws<KernelException>(() => Sockets.ConnectDatagrams("/" + new string('x', 200))).Errno);
    }
}
