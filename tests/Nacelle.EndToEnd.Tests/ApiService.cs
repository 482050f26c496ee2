using Grpc.Net.Client;
using Nacelle.Services.V1Alpha;

namespace Nacelle.EndToEnd.Tests;

/// <summary>The API service of a machine, and a client of it.</summary>
sealed class ApiService : IDisposable
{
    readonly GrpcChannel channel;

    public ApiService(Service service)
    {
        Service = service;
        channel = GrpcChannel.ForAddress($"http://127.0.0.1:{service.Port}");
        Client = new PublicAPI.PublicAPIClient(channel);
    }

    public static ApiService Start(Machine machine) => new(Service.Start(machine, "api-service --listen=localhost:PORT"));

    public Service Service { get; }

    public PublicAPI.PublicAPIClient Client { get; }

    public void Dispose()
    {
        channel.Dispose();
        Service.Dispose();
    }
}
