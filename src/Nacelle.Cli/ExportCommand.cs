using Nacelle.CommandLine;
using Nacelle.Linux;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>export</c>: writes an app of a pod that has ended as an ACI.</summary>
static class ExportCommand
{
    static readonly Option Overwrite = new("overwrite", null, "replace the file");

    public static readonly Command Definition = new(
        "export", "[--app=NAME] UUID FILE", "write an app of an exited pod as an image", [RunningPod.App, Overwrite, PodArguments.UuidFile], Run)
    {
        Description = "The file becomes an ACI: the manifest of the app's image, and the app's root file system with all that was changed in it. Volumes are no part of it.",
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        var (name, file) = PodArguments.Names(invocation) is [var pod, var path] ? (pod, Path.GetFullPath(path)) : throw new UserException("export: name a pod and the file to write");
        using var found = pods.Find(name);
        var app = RunningPod.AppOf(invocation, found.Pod);
        if (!invocation.Is(Overwrite) && Files.TryStatus(FileDescriptor.WorkingDirectory, file, out _) is not null)
        {
            throw new UserException($"{file} exists; --overwrite replaces it");
        }

        return Interruptible.Run("nothing was written", cancellation => { PodExport.Write(found, app, file, PodFlags.CheckOf(invocation), cancellation); });
    }
}
