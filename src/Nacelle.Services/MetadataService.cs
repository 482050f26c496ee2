using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Services;

/// <summary>Tells the apps of registered pods about themselves, and signs for them. It keeps nothing: all it says is in the pods' directories.</summary>
/// <remarks>appc 0.8.11, spec/ace.md, "App Container Metadata Service".</remarks>
public sealed class MetadataService(PodStore pods)
{
    /// <summary>What an app may have signed, in bytes of its form.</summary>
    public const int LongestForm = 1 << 20;

    const string Text = "text/plain; charset=us-ascii", Json = "application/json";

    public async Task Answer(HttpContext context)
    {
        var answer = await Find(context.Request, context.RequestAborted);
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        context.Response.ContentLength = answer.Body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(answer.Body, context.RequestAborted);
        }
    }

    async Task<Answered> Find(HttpRequest request, CancellationToken cancellation)
    {
        if ((request.Path.Value ?? "").Split('/') is not ["", var token, "acMetadata", "v1", .. var path])
        {
            return Refused(StatusCodes.Status404NotFound, "not found: the address is AC_METADATA_URL/acMetadata/v1/...");
        }

        try
        {
            using var found = FindPod(PodRegistration.UuidOf(token));
            if (found is not { State: PodState.Running } || PodRegistration.Read(found.Pod) is not { } registration
                || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(registration.Token)))
            {
                return Refused(StatusCodes.Status404NotFound, "no pod that runs has this token");
            }

            return path is ["pod", "hmac", var verb and ("sign" or "verify")]
                ? await ReadForm(request, cancellation) is { } form ? verb == "sign" ? Sign(found.Pod, registration, form) : Verify(form)
                    : Refused(StatusCodes.Status400BadRequest, $"POST a form as {FormBody.ContentType}")
                : !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) ? Refused(StatusCodes.Status405MethodNotAllowed, "only GET")
                : Tell(found.Pod, path);
        }
        catch (BadHttpRequestException problem)
        {
            return Refused(problem.StatusCode, problem.Message);
        }
        catch (KernelException problem) when (problem.Errno == Errno.ENOENT)
        {
            return Refused(StatusCodes.Status404NotFound, "the pod has ended"); // amid the question
        }
    }

    static Answered Tell(Pod pod, string[] path)
    {
        switch (path)
        {
            case ["pod", "uuid"]:
                return new(StatusCodes.Status200OK, Text, Encoding.ASCII.GetBytes(pod.Uuid));
            case ["pod", "manifest"]:
                return new(StatusCodes.Status200OK, Json, Files.ReadAll(pod.Directory, "pod"));
            case ["pod", "annotations"]:
                return new(StatusCodes.Status200OK, Json, AnnotationList.Write(pod.ReadManifest().Annotations));
        }

        if (path is not ["apps", var name, .. var question] || pod.ReadManifest().Apps.FirstOrDefault(app => app.Name.ToString() == name) is not { } app)
        {
            return Refused(StatusCodes.Status404NotFound, path is ["apps", ..] ? "the pod has no such app" : "not found");
        }

        return question switch
        {
            ["annotations"] => new(StatusCodes.Status200OK, Json, AnnotationList.Write(AnnotationList.Merge(pod.ReadImageManifest(app.Name).Annotations, app.Annotations))),
            ["image", "manifest"] => new(StatusCodes.Status200OK, Json, pod.ReadImageManifest(app.Name).ToJson()),
            ["image", "id"] => new(StatusCodes.Status200OK, Text, Encoding.ASCII.GetBytes(app.Image.Id)),
            _ => Refused(StatusCodes.Status404NotFound, "not found"),
        };
    }

    static Answered Sign(Pod pod, PodRegistration registration, IReadOnlyDictionary<string, byte[]> form) => form.TryGetValue("content", out var content)
        ? new(StatusCodes.Status200OK, Text, Encoding.ASCII.GetBytes(PodSignature.Sign(pod.Uuid, registration, content)))
        : Refused(StatusCodes.Status400BadRequest, "the form has no content");

    Answered Verify(IReadOnlyDictionary<string, byte[]> form)
    {
        if (!form.TryGetValue("content", out var content) || !form.TryGetValue("uuid", out var uuid) || !form.TryGetValue("signature", out var signature))
        {
            return Refused(StatusCodes.Status400BadRequest, "the form needs content, uuid and signature");
        }

        // A pod that has ended has signed what it has signed, for as long as it is on the disk.
        using var signer = FindPod(Encoding.UTF8.GetString(uuid));
        return signer is not null && PodRegistration.Read(signer.Pod) is { } registration && PodSignature.Verify(signer.Pod.Uuid, registration, content, signature)
            ? new(StatusCodes.Status200OK, Text, [])
            : Refused(StatusCodes.Status403Forbidden, "that pod has not signed this");
    }

    static async Task<IReadOnlyDictionary<string, byte[]>?> ReadForm(HttpRequest request, CancellationToken cancellation)
    {
        if (!HttpMethods.IsPost(request.Method) || request.ContentType?.Split(';')[0].Trim() != FormBody.ContentType)
        {
            return null;
        }

        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellation);
        return FormBody.Parse(body.GetBuffer().AsSpan(0, (int)body.Length));
    }

    FoundPod? FindPod(string? uuid)
    {
        try
        {
            return uuid is not null && Guid.TryParseExact(uuid, "D", out _) ? pods.Find(uuid) : null;
        }
        catch (PodException)
        {
            return null; // there is none
        }
    }

    static Answered Refused(int status, string reason) => new(status, Text, Encoding.ASCII.GetBytes(reason + "\n"));

    readonly record struct Answered(int Status, string ContentType, byte[] Body);
}
