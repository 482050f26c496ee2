using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>
/// What makes a pod known to the metadata service: a file in its directory, which only root reads, with the pod's URL and its key for signatures.
/// The service keeps nothing itself, so pods outlive it, and it forgets a pod when the pod's directory goes.
/// </summary>
/// <remarks>appc 0.8.11, spec/ace.md, "App Container Metadata Service".</remarks>
/// <param name="Url">What the apps find in <c>AC_METADATA_URL</c>. Its path is the pod's token.</param>
/// <param name="Key">For the pod's signatures (HMAC); it leaves the service never.</param>
public sealed record PodRegistration(string Url, byte[] Key)
{
    public const string Variable = "AC_METADATA_URL";

    const string FileName = "metadata", ServiceFile = "metadata-service";

    /// <summary>In bytes, twice what the specification asks for.</summary>
    const int SecretLength = 32;

    /// <summary>As long as HMAC-SHA-512's result.</summary>
    const int KeyLength = 64;

    const int UuidLength = 36;

    /// <summary>The UUID, for whoever looks the pod up, and a secret. Whoever knows it is taken for the pod.</summary>
    public string Token => Url[(Url.LastIndexOf('/') + 1)..];

    /// <summary>Notes where the metadata service of a data directory listens, for the pods to come.</summary>
    /// <param name="address">As in <c>http://127.0.0.1:18112</c>.</param>
    public static void WriteService(string dataDirectory, string address)
    {
        using var data = Files.EnsureDirectories(dataDirectory);
        Files.Replace(data, ServiceFile, Encoding.UTF8.GetBytes(address + "\n"));
    }

    /// <summary>Where the data directory's metadata service listens, or listened when it ran last.</summary>
    /// <exception cref="PodException">It has never run.</exception>
    public static string FindService(string dataDirectory) =>
        Files.TryReadText(FileDescriptor.WorkingDirectory, $"{dataDirectory}/{ServiceFile}")?.Trim()
            ?? throw new PodException($"the metadata service has never run on {dataDirectory}: start it with nacelle metadata-service");

    /// <summary>Registers a pod that is about to run, with a token and a key of its own.</summary>
    /// <param name="service">As <see cref="FindService"/> tells it.</param>
    internal static PodRegistration Create(Pod pod, string service)
    {
        Span<byte> random = stackalloc byte[SecretLength + KeyLength];
        using (var source = Files.Open("/dev/urandom", OpenFlags.ReadOnly)) // .NET's own source loads OpenSSL
        {
            for (int length = 0; length < random.Length;)
            {
                length += Files.Read(source, random[length..]);
            }
        }

        var registration = new PodRegistration($"{service}/{pod.Uuid}.{Convert.ToHexStringLower(random[..SecretLength])}", random[SecretLength..].ToArray());
        Files.WriteAll(pod.Directory, FileName, $"{registration.Url}\n{Convert.ToHexStringLower(registration.Key)}\n", 0x180);
        return registration;
    }

    /// <returns>Null where the pod is not registered.</returns>
    public static PodRegistration? Read(Pod pod) =>
        Files.TryReadText(pod.Directory, FileName)?.Split('\n') is not { } lines ? null
            : lines is [var url, { Length: 2 * KeyLength } key, ..] ? new PodRegistration(url, Convert.FromHexString(key))
            : throw new PodException($"{pod.Path}/{FileName} is damaged: the pod has no identity any more");

    /// <summary>Which pod a token speaks of, without saying that it speaks the truth.</summary>
    public static string? UuidOf(string token) => token.Length > UuidLength && token[UuidLength] == '.' ? token[..UuidLength] : null;

    /// <summary>Tells an app of the pod where it finds the service.</summary>
    internal void Announce(Pod pod, AppName app)
    {
        var bundle = PodFileSystems.ReadBundle(pod, app);
        var process = bundle.Process! with { Env = [.. bundle.Process!.Env.Where(variable => !variable.StartsWith(Variable + "=", StringComparison.Ordinal)), $"{Variable}={Url}"] };
        PodFileSystems.WriteBundle(pod, app, bundle with { Process = process });
    }
}
