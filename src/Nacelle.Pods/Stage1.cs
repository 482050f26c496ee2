using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>The default stage1, <c>linux</c>: our own supervisor, which every pod directory links to.</summary>
/// <remarks>rkt's contract: the image manifest's annotations name the entry points, paths in stage1's rootfs (rkt, stage1-implementors-guide.md).</remarks>
public static class Stage1
{
    public const string Name = "nacelle/stage1-linux";

    const string Prefix = "coreos.com/rkt/stage1/";

    static readonly string[] EntryPoints = ["run", "enter", "gc", "stop", "app/add", "app/start", "app/stop", "app/rm", "attach"];

    static string FileOf(string entryPoint) => entryPoint.Replace('/', '-');

    /// <summary>Puts the stage1 into a pod directory: its manifest, and in its rootfs an entry point for each verb.</summary>
    public static void Prepare(FileDescriptor pod, string version)
    {
        var supervisor = InstalledPrograms.Find("nacelle-init");
        Files.MakeDirectory(pod, "stage1");
        using var stage1 = Files.Open(pod, "stage1", OpenFlags.Path | OpenFlags.Directory);
        Files.MakeDirectory(stage1, "rootfs");
        using var rootfs = Files.Open(stage1, "rootfs", OpenFlags.Path | OpenFlags.Directory);
        foreach (var directory in (ReadOnlySpan<string>)["opt", "opt/stage2", "rkt", "rkt/status", "rkt/pid", "rkt/restarts", "rkt/logs", "rkt/shm", "proc", "sys", "dev"])
        {
            Files.MakeDirectory(rootfs, directory);
        }

        foreach (var entryPoint in EntryPoints)
        {
            Files.MakeSymlink(supervisor, rootfs, FileOf(entryPoint));
        }

        var manifest = new AppImageManifest
        {
            Name = Name,
            Labels = [new("version", version), new("os", "linux")],
            Annotations =
            [
                .. EntryPoints.Select(verb => new Annotation(Prefix + verb, "/" + FileOf(verb))),
                new(Prefix + "interface-version", "6"),
                new(SignalsAnnotation, "blocked"),
            ],
        };
        Files.WriteAll(stage1, "manifest", manifest.ToJson());
        Files.WriteAll(pod, "stage1TreeStoreID", $"{Name.Replace('/', '-')}-{version}");
    }

    /// <summary>A stage1 with this annotation is started with all signals blocked: it takes them over itself, and none is lost in between.</summary>
    public const string SignalsAnnotation = "nacelle/stage1/signals";

    /// <summary>The path of an entry point within the pod directory.</summary>
    /// <exception cref="PodException">The pod's stage1 has none of that name.</exception>
    public static string EntryPoint(AppImageManifest manifest, string verb) =>
        manifest.Annotations.FirstOrDefault(one => one.Name == Prefix + verb) is { } annotation
            ? "stage1/rootfs/" + annotation.Value.TrimStart('/')
            : throw new PodException($"the pod's stage1 {manifest.Name} cannot {verb}");

    public static AppImageManifest ReadManifest(Pod pod) => AppImageManifest.Parse(Files.ReadAll(pod.Directory, "stage1/manifest"), $"{pod.Path}/stage1/manifest");
}
