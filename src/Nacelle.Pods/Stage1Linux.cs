using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>The default stage1, <c>linux</c>: our own supervisor, which every pod directory links to. It needs no image, and nothing is unpacked for it.</summary>
public static class Stage1Linux
{
    public const string Name = "nacelle/stage1-linux";

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
            Annotations = [.. Stage1.Annotate(EntryPoints, FileOf), new(Stage1.SignalsAnnotation, "blocked"), new(Stage1.FailuresAnnotation, "reported"), new(Stage1.NetworksAnnotation, "planned")],
        };
        Files.WriteAll(stage1, "manifest", manifest.ToJson());
        Files.WriteAll(pod, "stage1TreeStoreID", $"{Name.Replace('/', '-')}-{version}");
    }
}
