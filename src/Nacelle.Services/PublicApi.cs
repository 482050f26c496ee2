using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Services.V1Alpha;
using Nacelle.Specs;
using Image = Nacelle.Services.V1Alpha.Image;
using Pod = Nacelle.Services.V1Alpha.Pod;

namespace Nacelle.Services;

/// <summary>What the API says of how the service was started.</summary>
public sealed record PublicApiSettings(string DataDirectory, string SystemConfig, string LocalConfig, string? UserConfig, string Insecure, bool TrustKeys, string Version);

/// <summary>rkt's API: tells of pods and images, and changes nothing.</summary>
/// <remarks>api/v1alpha/api.proto of rkt.</remarks>
sealed partial class PublicApi(PodStore pods, ImageStore images, PublicApiSettings settings) : PublicAPI.PublicAPIBase
{
    const string Version = "1.0.0-alpha";

    readonly EventHub hub = new(pods, images);

    CancellationToken stopping;

    public override Task<GetInfoResponse> GetInfo(GetInfoRequest request, ServerCallContext context) => Task.FromResult(new GetInfoResponse
    {
        Info = new Info
        {
            RktVersion = settings.Version,
            AppcVersion = PodManifest.AppcVersion,
            ApiVersion = Version,
            GlobalFlags = new GlobalFlags
            {
                Dir = settings.DataDirectory, SystemConfigDir = settings.SystemConfig, LocalConfigDir = settings.LocalConfig, UserConfigDir = settings.UserConfig ?? "",
                InsecureFlags = settings.Insecure, TrustKeysFromHttps = settings.TrustKeys,
            },
        },
    });

    public override Task<ListPodsResponse> ListPods(ListPodsRequest request, ServerCallContext context)
    {
        var response = new ListPodsResponse();
        var image = request.Detail ? ImagesOfApps() : null;
        foreach (var found in pods.List())
        {
            using (found)
            {
                var pod = PodMessages.Of(found, image);
                if (request.Filters.Count == 0 || request.Filters.Any(pod.Matches))
                {
                    response.Pods.Add(pod);
                }
            }
        }

        return Task.FromResult(response);
    }

    public override Task<InspectPodResponse> InspectPod(InspectPodRequest request, ServerCallContext context)
    {
        using var found = Find(request.Id);
        return Task.FromResult(new InspectPodResponse { Pod = PodMessages.Of(found, ImagesOfApps()) });
    }

    public override Task<ListImagesResponse> ListImages(ListImagesRequest request, ServerCallContext context)
    {
        var response = new ListImagesResponse();
        response.Images.AddRange(images.List()
            .Select(stored => TryRead(stored, request.Detail)).OfType<Image>()
            .Where(image => request.Filters.Count == 0 || request.Filters.Any(image.Matches)));
        return Task.FromResult(response);
    }

    public override Task<InspectImageResponse> InspectImage(InspectImageRequest request, ServerCallContext context)
    {
        var stored = Refuse(() => images.Find(request.Id)) ?? throw Missing($"the image '{request.Id}' is not in the store");
        return Task.FromResult(new InspectImageResponse { Image = Refuse(() => ImageMessages.Of(images, stored, detail: true)) });
    }

    FoundPod Find(string id) => Refuse(() => pods.Find(id));

    /// <summary>What the store knows of an app's image, or the pod when the store has lost it.</summary>
    Func<Pods.Pod, PodApp, Image> ImagesOfApps()
    {
        var known = images.List().DistinctBy(image => image.Id).ToDictionary(image => image.Id.FileName, StringComparer.Ordinal);
        return (pod, app) => (known.TryGetValue(app.Image.Id, out var stored) ? TryRead(stored, detail: true) : null)
            ?? ImageMessages.Of(app.Image.Id, pod.ReadImageManifest(app.Name), detail: true);
    }

    /// <returns>Null for an image that is removed meanwhile, or damaged: others are listed all the same.</returns>
    Image? TryRead(StoredImage stored, bool detail)
    {
        try
        {
            return ImageMessages.Of(images, stored, detail);
        }
        catch (Exception problem) when (problem is ImageException or SpecException or KernelException)
        {
            return null;
        }
    }

    static T Refuse<T>(Func<T> find)
    {
        try
        {
            return find();
        }
        catch (Exception problem) when (problem is PodException or ImageException or SpecException or KernelException)
        {
            throw Missing(problem.Message);
        }
    }

    static RpcException Missing(string message) => new(new Status(StatusCode.NotFound, message));
}

/// <summary>Puts the API into a server.</summary>
public static class PublicApiServer
{
    public static void Add(WebApplicationBuilder builder, PodStore pods, ImageStore images, PublicApiSettings settings)
    {
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(new PublicApi(pods, images, settings));
    }

    public static void Map(WebApplication application)
    {
        application.Services.GetRequiredService<PublicApi>().EndWith(application.Lifetime.ApplicationStopping);
        application.MapGrpcService<PublicApi>();
    }
}
