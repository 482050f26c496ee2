using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Build;

/// <summary>The form of the image that is made.</summary>
public enum ImageForm
{
    Oci,

    /// <summary>Docker's, which alone can say HEALTHCHECK, ONBUILD and SHELL.</summary>
    Docker,
}

/// <summary>What somebody asks of a build.</summary>
public sealed record BuildOptions
{
    /// <summary>A directory.</summary>
    public required string Context { get; init; }

    /// <summary>The Containerfile's path, or "-" for standard input.</summary>
    public required string File { get; init; }

    public IReadOnlyDictionary<string, string> Arguments { get; init; } = new Dictionary<string, string>();

    /// <summary>A stage's name or number; null for the last.</summary>
    public string? Target { get; init; }

    public bool NoCache { get; init; }

    /// <summary>For commands: "none" or "host".</summary>
    public string Network { get; init; } = "none";

    /// <summary>By the ids under which RUN asks for them.</summary>
    public IReadOnlyDictionary<string, BuildSecret> Secrets { get; init; } = new Dictionary<string, BuildSecret>();

    /// <summary>The sockets of ssh agents, by the ids under which RUN asks for them.</summary>
    public IReadOnlyDictionary<string, string> Agents { get; init; } = new Dictionary<string, string>();

    /// <summary>What comes over plain http, and is not said by its digest, is taken.</summary>
    public bool AllowPlainHttp { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    public ImageForm Form { get; init; }

    public LayerCompression Compression { get; init; } = LayerCompression.Gzip;

    /// <summary>The time of the image and its history, and of the files of its layers as it says; null for now, and the files' own.</summary>
    public LayerTime? Time { get; init; }
}

/// <summary>What a build needs from outside.</summary>
/// <param name="FindImage">Finds or fetches the image of a FROM.</param>
/// <param name="Download">Writes what a URL gives to a file, and checks it against a digest where one is given.</param>
/// <param name="Check">Whether what is built upon is held against what was unpacked; says the same as <paramref name="RunArguments"/>.</param>
/// <param name="RunArguments">What <c>nacelle run-prepared</c> is told beside the pod and its network.</param>
/// <param name="Say">A line of progress or a warning.</param>
public sealed record BuildHost(
    Func<string, StoredImage> FindImage, Action<string, string?, string> Download, IReadOnlyList<string> RunArguments, LayerCheck Check, Action<string> Say);
