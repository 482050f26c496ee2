using System.Diagnostics;
using System.Net.Sockets;

namespace Nacelle.EndToEnd.Tests;

/// <summary>One of nacelle's services, on a port of loopback, until it is disposed of.</summary>
public sealed class Service : IDisposable
{
    readonly Process process;

    Service(Process process, int port)
    {
        this.process = process;
        Port = port;
    }

    public int Port { get; }

    /// <param name="command">The command and its flags; PORT stands for the port.</param>
    public static Service Start(Machine machine, string command, int port = 0) => Start(Machine.Program, [], machine, command, port);

    /// <summary>By a service manager that opens the socket, and starts the service when somebody connects.</summary>
    public static Service StartBySocket(Machine machine, string command)
    {
        const string Manager = "/usr/bin/systemd-socket-activate";
        Machine.Require(Manager);
        return Start(Manager, ["-l", "127.0.0.1:PORT", Machine.Program], machine, command, 0);
    }

    static Service Start(string program, string[] arguments, Machine machine, string command, int port)
    {
        port = port > 0 ? port : Machine.FreePort();
        string[] line = [.. arguments, .. machine.Flags, .. command.Split(' ')];
        var process = Process.Start(new ProcessStartInfo(program, line.Select(word => word.Replace("PORT", $"{port}", StringComparison.Ordinal))) { UseShellExecute = false })!;
        var service = new Service(process, port);
        Machine.Eventually(() => process.HasExited || service.Answers(), $"{command} listens");
        Assert.False(process.HasExited, $"{command} has ended");
        return service;
    }

    bool Answers()
    {
        try
        {
            using var connection = new TcpClient("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Ends it as service managers do.</summary>
    /// <returns>Its exit code.</returns>
    public int Stop()
    {
        using (Process.Start("kill", $"{process.Id}"))
        {
            process.WaitForExit();
        }

        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
    }
}
