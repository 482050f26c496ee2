using System.Globalization;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What a stage1's manifest says of it: which entry points it has, and which version of the contract it keeps.</summary>
/// <remarks>rkt's contract: the image manifest's annotations name the entry points, paths in stage1's rootfs (rkt, stage1-implementors-guide.md). See docs/stage1.md.</remarks>
public static class Stage1
{
    const string Prefix = "coreos.com/rkt/stage1/";

    /// <summary>The newest version of the contract.</summary>
    public const int NewestInterface = 6;

    /// <summary>A stage1 with this annotation is started with all signals blocked: it takes them over itself, and none is lost in between.</summary>
    public const string SignalsAnnotation = "nacelle/stage1/signals";

    /// <summary>A stage1 with this annotation, "reported", says itself why it cannot run a pod; others are watched (<see cref="Stage1Watch"/>).</summary>
    public const string FailuresAnnotation = "nacelle/stage1/failures";

    /// <summary>
    /// A stage1 with this annotation, "none", leaves apps in the host's network and under its name, so that is what they are told; and it is given the mount
    /// namespace that it is started from, to share mounts with the host.
    /// </summary>
    public const string IsolationAnnotation = "nacelle/stage1/isolation";

    /// <summary>A stage1 with this annotation, "planned", attaches pods to the networks that stage0 has written down; others find them themselves, as rkt's did.</summary>
    public const string NetworksAnnotation = "nacelle/stage1/networks";

    public static AppImageManifest ReadManifest(Pod pod) => AppImageManifest.Parse(Files.ReadAll(pod.Directory, "stage1/manifest"), $"{pod.Path}/stage1/manifest");

    /// <summary>The path of an entry point within the pod directory, or null when the stage1 has none of that name.</summary>
    /// <param name="verb">As in <c>run</c> or <c>app/add</c>.</param>
    public static string? FindEntryPoint(AppImageManifest manifest, string verb) => Find(manifest, Prefix + verb) is { } path ? "stage1/rootfs/" + path.TrimStart('/') : null;

    /// <inheritdoc cref="FindEntryPoint"/>
    /// <exception cref="PodException">The pod's stage1 has none of that name.</exception>
    public static string EntryPoint(AppImageManifest manifest, string verb) =>
        FindEntryPoint(manifest, verb) ?? throw new PodException($"the pod's stage1 {manifest.Name} cannot {verb}: it has no entry point of that name");

    /// <summary>The version of the contract; 1 where the manifest says none.</summary>
    /// <exception cref="PodException">It is no version, or a newer one than is known here.</exception>
    public static int InterfaceVersion(AppImageManifest manifest)
    {
        var text = Find(manifest, Prefix + "interface-version") ?? "1";
        return !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int version) || version < 1
                ? throw new PodException($"the stage1 {manifest.Name} is broken: its interface version is '{text}'")
            : version > NewestInterface ? throw new PodException($"the stage1 {manifest.Name} wants interface version {version}; known here are 1 to {NewestInterface}")
            : version;
    }

    public static bool Says(AppImageManifest manifest, string annotation, string value) => Find(manifest, annotation) == value;

    /// <summary>Annotations of a stage1's manifest, from verbs and paths.</summary>
    internal static IEnumerable<Annotation> Annotate(IEnumerable<string> verbs, Func<string, string> file) =>
        [.. verbs.Select(verb => new Annotation(Prefix + verb, "/" + file(verb))), new(Prefix + "interface-version", $"{NewestInterface}")];

    internal static bool IsOfContract(string annotation) => annotation.StartsWith(Prefix, StringComparison.Ordinal) || annotation.StartsWith("nacelle/stage1/", StringComparison.Ordinal);

    static string? Find(AppImageManifest manifest, string annotation) => manifest.Annotations.FirstOrDefault(one => one.Name == annotation)?.Value;
}
