using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Nacelle.CommandLine;

namespace Nacelle.Node;

/// <summary>Where a service listens: on an address, or on sockets that a service manager has opened for it.</summary>
/// <param name="Address">Of no effect where there are such sockets.</param>
/// <remarks>sd_listen_fds(3).</remarks>
sealed record ServiceHost(IPEndPoint Address, HttpProtocols Protocols)
{
    const int FirstDescriptor = 3;

    /// <summary>How long answers that are under way may take when the service ends.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    static int PassedSockets =>
        Environment.GetEnvironmentVariable("LISTEN_PID") == $"{Environment.ProcessId}" && int.TryParse(Environment.GetEnvironmentVariable("LISTEN_FDS"), out int count) ? count : 0;

    /// <summary>The address of the first socket.</summary>
    public IPEndPoint Endpoint
    {
        get
        {
            if (PassedSockets == 0)
            {
                return Address;
            }

            using var socket = new Socket(new SafeSocketHandle(FirstDescriptor, ownsHandle: false));
            return socket.LocalEndPoint as IPEndPoint ?? throw new UserException("the socket that the service manager passes is none of TCP");
        }
    }

    /// <summary>Serves until SIGTERM or SIGINT.</summary>
    /// <param name="ready">Called when everybody can connect.</param>
    /// <exception cref="UserException">It cannot listen there.</exception>
    public int Run(Action<WebApplicationBuilder> configure, Action<WebApplication> map, Action ready)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(Listen);
        configure(builder);
        using var application = builder.Build();
        map(application);
        try
        {
            application.StartAsync().GetAwaiter().GetResult();
        }
        catch (IOException problem)
        {
            throw new UserException($"cannot listen on {Address}: {(problem.InnerException ?? problem).Message}");
        }

        ready();
        using var ended = new ManualResetEventSlim();
        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            ended.Set();
        }

        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        ended.Wait();
        using var patience = new CancellationTokenSource(Patience);
        application.StopAsync(patience.Token).GetAwaiter().GetResult();
        return 0;
    }

    void Listen(KestrelServerOptions options)
    {
        options.AddServerHeader = false;
        void Speak(ListenOptions listen) => listen.Protocols = Protocols;
        for (int i = 0; i < PassedSockets; i++)
        {
            options.ListenHandle((ulong)(FirstDescriptor + i), Speak);
        }

        if (PassedSockets == 0)
        {
            options.Listen(Address, Speak);
        }
    }
}
