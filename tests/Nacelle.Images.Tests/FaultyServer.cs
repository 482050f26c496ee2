using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nacelle.Images.Tests;

sealed record ServerRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    /// <summary>The body, as far as it was taken.</summary>
    public byte[] Content { get; init; } = [];

    public string? this[string header] => Headers.GetValueOrDefault(header);
}

/// <summary>An answer, and what goes wrong while it is sent.</summary>
sealed record ServerAnswer(int Status, byte[] Body, params (string Name, string Value)[] Headers)
{
    /// <summary>After so many bytes of the body the connection ends.</summary>
    public int? EndAfter { get; init; }

    /// <summary>It ends by a reset, not by an orderly close.</summary>
    public bool Reset { get; init; }

    /// <summary>After <see cref="EndAfter"/> bytes nothing more is sent, and the connection stays.</summary>
    public bool Stall { get; init; }

    /// <summary>What Content-Length says, where that is not the truth.</summary>
    public long? Length { get; init; }

    public static ServerAnswer Text(int status, string body, params (string, string)[] headers) => new(status, Encoding.UTF8.GetBytes(body), headers);
}

/// <summary>A plain HTTP server on loopback whose answers are a function, and which fails as it is told to.</summary>
sealed class FaultyServer : IDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();
    readonly Func<ServerRequest, ServerAnswer> answer;
    readonly Task serving;

    public FaultyServer(Func<ServerRequest, ServerAnswer> answer)
    {
        this.answer = answer;
        listener.Start();
        serving = ServeAsync();
    }

    public string Host => $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    public ConcurrentQueue<ServerRequest> Requests { get; } = new();

    /// <summary>After how many bytes of a request's body the connection breaks, by its head; null to take it whole.</summary>
    public Func<ServerRequest, int?> Break { get; init; } = _ => null;

    /// <summary>Told of what came before a connection broke.</summary>
    public Action<ServerRequest> Broken { get; init; } = _ => { };

    public void Dispose()
    {
        stop.Cancel();
        listener.Stop();
        serving.Wait();
        stop.Dispose();
    }

    async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await listener.AcceptSocketAsync(stop.Token)));
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException or InvalidOperationException { Source: "System.Net.Sockets" })
        {
            await Task.WhenAll(connections);
        }
    }

    async Task ServeAsync(Socket socket)
    {
        socket.NoDelay = true;
        using (socket)
        {
            try
            {
                using var stream = new NetworkStream(socket);
                while (await ReadAsync(stream) is { } head)
                {
                    var body = new byte[head["Content-Length"] is { } length ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
                    if (Break(head) is { } taken && taken < body.Length)
                    {
                        await stream.ReadExactlyAsync(body.AsMemory(0, taken), stop.Token);
                        var partial = head with { Content = body[..taken] };
                        Requests.Enqueue(partial);
                        Broken(partial);
                        socket.LingerState = new LingerOption(true, 0);
                        return;
                    }

                    await stream.ReadExactlyAsync(body, stop.Token);
                    var request = head with { Body = Encoding.UTF8.GetString(body), Content = body };
                    Requests.Enqueue(request);
                    if (!await SendAsync(socket, stream, request, answer(request)))
                    {
                        return;
                    }
                }
            }
            catch (Exception ended) when (ended is OperationCanceledException or IOException or SocketException)
            {
                // The client went away, or the test is over.
            }
        }
    }

    async Task<bool> SendAsync(Socket socket, NetworkStream stream, ServerRequest request, ServerAnswer answer)
    {
        var head = new StringBuilder($"HTTP/1.1 {answer.Status} x\r\n");
        foreach (var (name, value) in answer.Headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        head.Append(CultureInfo.InvariantCulture, $"Content-Length: {answer.Length ?? answer.Body.Length}\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.ToString()), stop.Token);
        if (request.Method != "HEAD")
        {
            await stream.WriteAsync(answer.Body.AsMemory(0, Math.Min(answer.EndAfter ?? answer.Body.Length, answer.Body.Length)), stop.Token);
        }

        if (answer.Stall)
        {
            await Task.Delay(Timeout.Infinite, stop.Token);
        }

        if (answer.Reset)
        {
            socket.LingerState = new LingerOption(true, 0);
        }

        return answer is { EndAfter: null, Reset: false } && (answer.Length is null || answer.Length == answer.Body.Length);
    }

    async Task<ServerRequest?> ReadAsync(NetworkStream stream)
    {
        var bytes = new List<byte>();
        var one = new byte[1];
        while (bytes.Count < 4 || !bytes[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            // A TLS greeting begins with 22; who sends one here is told to go away.
            if (await stream.ReadAsync(one, stop.Token) == 0 || (bytes.Count == 0 && one[0] == 22))
            {
                return null;
            }

            bytes.Add(one[0]);
        }

        var lines = Encoding.ASCII.GetString([.. bytes]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var words = lines[0].Split(' ');
        var headers = lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        return new ServerRequest(words[0], words[1], headers, "");
    }
}
