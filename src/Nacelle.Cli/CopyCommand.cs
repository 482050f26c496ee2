using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>cp</c>: copies files into pods and out of them.</summary>
static class CopyCommand
{
    /// <summary>Stands for an archive on standard input or output.</summary>
    const string Stream = "-";

    static readonly Option Archive = new("archive", null, "keep owners, as numbers that the app sees (true); false gives all to root");
    static readonly Option FollowLink = new("follow-link", null, "copy what SOURCE leads to, if it is a symlink");
    static readonly Option Overwrite = new("overwrite", null, "let directories give way to files, and files to directories");

    public static readonly Command Definition = new(
        "cp", "[FLAGS] SOURCE TARGET", "copy files into a pod or out of it", [RunningPod.App, Archive, FollowLink, Overwrite], Run)
    {
        Description =
            "One of the two is a path of this machine, or - for a tar archive on standard input or output; the other is POD:PATH or POD:APP:PATH, from the app's root. "
            + "The pod runs, or is prepared, or has exited.\n"
            + "If TARGET is a directory, the copy is put into it; otherwise it takes TARGET's name. DIRECTORY/. copies what is in a directory. "
            + "A path of this machine that has a colon before the first slash begins with ./",
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        var (source, target) = invocation.Words is [var from, var to] ? (from, to) : throw new UserException("cp: name what to copy, and where to");
        bool fromPod = IsOfPod(source);
        if (fromPod == IsOfPod(target))
        {
            throw new UserException(fromPod ? "cp: one of the two must be a path of this machine" : "cp: one of the two must be a path of a pod: POD:PATH or POD:APP:PATH");
        }

        var options = new PodCopyOptions
        {
            Owners = invocation.Is(Archive, otherwise: true) ? OwnerPolicy.Keep : OwnerPolicy.Root,
            FollowsLink = invocation.Is(FollowLink),
            Policy = invocation.Is(Overwrite) ? PlacementPolicy.Anything : PlacementPolicy.SameKind,
        };
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        var (pod, path) = Split(fromPod ? source : target);
        using var found = pods.Find(pod);
        return Interruptible.Run("nothing was copied", cancellation =>
        {
            using var place = Place(invocation, found, path, fromPod ? source : target);
            if (fromPod)
            {
                CopyOut(place, target, options, cancellation);
            }
            else
            {
                CopyIn(source, place, options, cancellation);
            }
        });
    }

    static void CopyOut(CopyPlace source, string target, PodCopyOptions options, CancellationToken cancellation)
    {
        if (target != Stream)
        {
            using var local = CopyPlace.Local(target);
            PodCopy.Copy(source, local, options, PodPreparing.Warn, cancellation);
            return;
        }

        if (Terminal.IsTerminal(FileDescriptor.StandardOutput))
        {
            throw new UserException("cp: an archive is not for a terminal: send it to a file or a program");
        }

        PodCopy.WriteArchive(source, FileDescriptor.StandardOutput, options, cancellation);
    }

    static void CopyIn(string source, CopyPlace target, PodCopyOptions options, CancellationToken cancellation)
    {
        if (source == Stream)
        {
            PodCopy.ReadArchive(FileDescriptor.StandardInput, target, options, PodPreparing.Warn, cancellation);
            return;
        }

        using var local = CopyPlace.Local(source);
        PodCopy.Copy(local, target, options, PodPreparing.Warn, cancellation);
    }

    /// <summary>As with docker and podman: a colon, and no slash or leading dot before it.</summary>
    static bool IsOfPod(string word) => word.IndexOf(':') is > 0 and var colon && word[0] != '.' && !word.AsSpan(0, colon).Contains('/');

    static (string Pod, string Path) Split(string word) => (word[..word.IndexOf(':')], word[(word.IndexOf(':') + 1)..]);

    /// <summary>A path may begin with an app's name and a colon, if there is such an app.</summary>
    static CopyPlace Place(Invocation invocation, FoundPod found, string path, string text)
    {
        var (before, after) = path.Contains(':') ? Split(path) : ("", path);
        bool namesApp = AppName.IsValid(before) && (after.StartsWith('/') || found.Pod.ReadManifest().Apps.Any(app => $"{app.Name}" == before));
        var app = RunningPod.AppOf(namesApp ? before : invocation.Value(RunningPod.App), found.Pod);
        return CopyPlace.InApp(found, app, namesApp ? after : path, text, PodFlags.CheckOf(invocation));
    }
}
