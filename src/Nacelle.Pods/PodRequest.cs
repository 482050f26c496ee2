using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What somebody asks an app of a pod to be; what is left out is the image's to say.</summary>
public sealed record AppRequest
{
    /// <summary>As given: a reference, a name, or the beginning of an id.</summary>
    public required string Image { get; init; }

    /// <summary>The file with the image's detached signature, for the case that the image has to be fetched.</summary>
    public string? Signature { get; init; }

    public AppName? Name { get; init; }

    /// <summary>Replaces the image's program and arguments.</summary>
    public string? Exec { get; init; }

    /// <summary>In the place of the image's default arguments (an image's Cmd), behind its entry point or <see cref="Exec"/>.</summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    public string? User { get; init; }

    public string? Group { get; init; }

    public IReadOnlyList<uint>? SupplementaryGroups { get; init; }

    public string? WorkingDirectory { get; init; }

    public bool ReadOnlyRoot { get; init; }

    public IReadOnlyList<PodMount> Mounts { get; init; } = [];

    public IReadOnlyList<Annotation> Environment { get; init; } = [];

    /// <summary>Take the place of the image's isolators of the same name.</summary>
    public IReadOnlyList<Isolator> Isolators { get; init; } = [];

    public IReadOnlyList<Annotation> Annotations { get; init; } = [];

    public IReadOnlyDictionary<string, string>? UserAnnotations { get; init; }

    public IReadOnlyDictionary<string, string>? UserLabels { get; init; }
}

/// <summary>What somebody asks a pod to be.</summary>
public sealed record PodRequest
{
    /// <summary>By which it can be found, as by its UUID; no other pod may have it.</summary>
    public AppName? Name { get; init; }

    public IReadOnlyList<AppRequest> Apps { get; init; } = [];

    /// <summary>Used as it is, in place of <see cref="Apps"/> and volumes.</summary>
    public PodManifest? Manifest { get; init; }

    public IReadOnlyList<PodVolume> Volumes { get; init; } = [];

    /// <summary>Mounts in every app; an app's own on the same path wins.</summary>
    public IReadOnlyList<PodMount> Mounts { get; init; } = [];

    /// <summary>Ports of the host that lead to the apps'.</summary>
    public IReadOnlyList<PodPort> Ports { get; init; } = [];

    /// <summary>Weaker than the image's variables.</summary>
    public IReadOnlyList<Annotation> InheritedEnvironment { get; init; } = [];

    /// <summary>Stronger than the image's variables, weaker than an app's own.</summary>
    public IReadOnlyList<Annotation> Environment { get; init; } = [];

    /// <summary>What runs the pod; null for the stage1 that comes with us.</summary>
    public Stage1Image? Stage1 { get; init; }

    /// <summary>Of the pod as a whole.</summary>
    public IReadOnlyList<Isolator> Isolators { get; init; } = [];

    public IReadOnlyList<Annotation> Annotations { get; init; } = [];

    public IReadOnlyDictionary<string, string>? UserAnnotations { get; init; }

    public IReadOnlyDictionary<string, string>? UserLabels { get; init; }

    public bool NoOverlay { get; init; }

    public bool PrivateUsers { get; init; }

    /// <summary>Of the images while the pod is prepared; when it runs, <see cref="PodRunOptions.Check"/> counts.</summary>
    public LayerCheck Check { get; init; }

    /// <summary>What its apps' changes have to be, for those who make something of them.</summary>
    public OverlayChanges Changes { get; init; }
}
