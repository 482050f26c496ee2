using System.Text;
using Nacelle.Containers;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>What apps say of themselves by sd_notify(3): when all that say anything are ready, the pod is; and the rest goes on to the host's service manager.</summary>
/// <param name="host">To the process outside, or null where no service manager listens.</param>
sealed class PodNotifications(FileDescriptor? host)
{
    const int LongestMessage = 4096;

    readonly Dictionary<string, FileDescriptor> sockets = new(StringComparer.Ordinal);
    readonly HashSet<string> awaited = new(StringComparer.Ordinal);
    readonly byte[] buffer = new byte[LongestMessage];

    /// <summary>Everybody who wanted to say so is ready.</summary>
    public bool AreReady => awaited.Count == 0;

    /// <summary>Told when an app has become ready.</summary>
    public Action Ready { get; set; } = () => { };

    /// <summary>Makes an app's socket in stage1's rootfs, from the pod directory; its description is its path on the host.</summary>
    public static FileDescriptor Bind(string app)
    {
        var path = $"{Environment.CurrentDirectory}/stage1/rootfs/rkt/notify";
        Files.EnsureDirectory(FileDescriptor.WorkingDirectory, path);
        Files.TryUnlink(FileDescriptor.WorkingDirectory, $"{path}/{app}");
        using var directory = Files.Open(path, OpenFlags.Path | OpenFlags.Directory);
        var socket = Sockets.BindDatagrams(directory, app, 0x1B6);
        socket.SetNonBlocking();
        return socket;
    }

    /// <summary>Waits for what the app will say.</summary>
    /// <param name="socket">Becomes this object's.</param>
    public void Listen(string app, FileDescriptor socket)
    {
        sockets[app] = socket;
        awaited.Add(app);
    }

    /// <summary>The app is removed.</summary>
    public void Forget(string app)
    {
        awaited.Remove(app);
        sockets.Remove(app);
    }

    public void AddTo(PollSet set)
    {
        foreach (var (app, socket) in sockets)
        {
            set.Add(socket, PollEvents.Readable, () => Take(app, socket));
        }
    }

    void Take(string app, FileDescriptor socket)
    {
        int length = socket.IsClosed ? -1 : Files.TryRead(socket, buffer);
        if (length <= 0)
        {
            return;
        }

        var lines = Encoding.UTF8.GetString(buffer, 0, length).Split('\n');
        bool ready = lines.Contains("READY=1", StringComparer.Ordinal) && awaited.Remove(app);

        // Process ids mean nothing outside, and READY=1 is for the whole pod to say.
        var passed = string.Join('\n', lines.Where(line =>
            line.Length > 0 && line != "READY=1" && !line.StartsWith("MAINPID=", StringComparison.Ordinal) && !line.StartsWith("FDSTORE", StringComparison.Ordinal)));
        if (passed.Length > 0)
        {
            Tell(passed);
        }

        if (ready)
        {
            Ready();
        }
    }

    /// <summary>The app has ended: nobody waits for it any more.</summary>
    public void Ended(string app) => awaited.Remove(app);

    /// <summary>Says something to the host's service manager; nobody waits for it.</summary>
    public void Tell(string message)
    {
        if (host is not null)
        {
            Sockets.TrySend(host, Encoding.UTF8.GetBytes(message));
        }
    }

}

/// <summary>The other end, outside the pod: passes messages on to the manager that has started us, which takes them from its own child.</summary>
/// <remarks>sd_notify(3), NOTIFY_SOCKET; systemd.service(5), NotifyAccess=main.</remarks>
sealed class HostNotifications : IDisposable
{
    readonly FileDescriptor manager;
    readonly byte[] buffer = new byte[4096];

    HostNotifications(FileDescriptor manager)
    {
        this.manager = manager;
        (Inside, Outside) = Sockets.CreatePair("notifications");
    }

    /// <summary>For the pod's PID 1.</summary>
    public FileDescriptor Inside { get; }

    public FileDescriptor Outside { get; }

    /// <returns>Null where no manager asks for notifications, or none listens.</returns>
    public static HostNotifications? Connect()
    {
        try
        {
            return Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 1 } address ? new HostNotifications(Sockets.ConnectDatagrams(address)) : null;
        }
        catch (KernelException problem)
        {
            Messages.Error($"warning: the service manager hears nothing: {problem.Message}");
            return null;
        }
    }

    public void Pass()
    {
        int length = Sockets.Receive(Outside, buffer, out var descriptor);
        descriptor?.Dispose();
        if (length > 0)
        {
            Sockets.TrySend(manager, buffer.AsSpan(0, length));
        }
    }

    public void Dispose()
    {
        Inside.Dispose();
        Outside.Dispose();
        manager.Dispose();
    }
}
