using System.Text;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>What apps say of themselves by sd_notify(3): when all that say anything are ready, the pod is; and the rest goes on to the host's service manager.</summary>
/// <param name="host">To the process outside, or null where no service manager listens.</param>
sealed class PodNotifications(FileDescriptor? host) : IDisposable
{
    const int LongestMessage = 4096;

    readonly Dictionary<string, FileDescriptor> sockets = new(StringComparer.Ordinal);
    readonly HashSet<string> awaited = new(StringComparer.Ordinal);
    readonly byte[] buffer = new byte[LongestMessage];

    /// <summary>Everybody who wanted to say so is ready.</summary>
    public bool AreReady => awaited.Count == 0;

    /// <summary>Told when an app has become ready.</summary>
    public Action Ready { get; set; } = () => { };

    /// <summary>Where an app's socket lies in stage1's rootfs.</summary>
    public static string PathOf(string app) => $"/rkt/notify/{app}";

    /// <summary>Makes the app's socket, which its plan mounts into it.</summary>
    public void Listen(string app)
    {
        if (sockets.ContainsKey(app))
        {
            return;
        }

        Files.EnsureDirectory(FileDescriptor.WorkingDirectory, "/rkt/notify");
        Files.TryUnlink(FileDescriptor.WorkingDirectory, PathOf(app));
        using var directory = Files.Open("/rkt/notify", OpenFlags.Path | OpenFlags.Directory);
        var socket = Sockets.BindDatagrams(directory, app, 0x1B6);
        socket.SetNonBlocking();
        sockets.Add(app, socket);
        awaited.Add(app);
    }

    /// <summary>The app has gone without a word, or its word counts no more.</summary>
    public void Forget(string app)
    {
        if (sockets.Remove(app, out var socket))
        {
            socket.Dispose();
            Files.TryUnlink(FileDescriptor.WorkingDirectory, PathOf(app));
        }

        awaited.Remove(app);
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

    /// <summary>Says something to the host's service manager; nobody waits for it.</summary>
    public void Tell(string message)
    {
        if (host is not null)
        {
            Sockets.TrySend(host, Encoding.UTF8.GetBytes(message));
        }
    }

    public void Dispose()
    {
        foreach (var socket in sockets.Values)
        {
            socket.Dispose();
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
