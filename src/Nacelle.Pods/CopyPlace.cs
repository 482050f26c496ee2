using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>A path that something is copied from or to: of this machine, or of an app, whose links then lead nowhere but to files that the app sees.</summary>
/// <remarks>What the end of a path means is Docker's: <c>DIRECTORY/.</c> is all that is in the directory, and who writes <c>NAME/</c> means a directory.</remarks>
public sealed class CopyPlace : IDisposable
{
    const int MostLinks = 40;

    readonly FileDescriptor root;
    readonly ResolveFlags resolve;
    readonly string path, text;
    readonly IReadOnlyCollection<IDisposable> held;

    CopyPlace(FileDescriptor root, ResolveFlags resolve, string path, string text, IReadOnlyCollection<IDisposable> held) =>
        (this.root, this.resolve, this.path, this.text, this.held) = (root, resolve, path.Length == 0 ? "/" : path, text, held);

    /// <summary>The users that there are in this place, as numbers of this machine.</summary>
    internal OwnerShift Owners { get; private init; } = OwnerShift.None;

    /// <param name="path">Absolute, or from the working directory.</param>
    public static CopyPlace Local(string path) => new(FileDescriptor.WorkingDirectory, ResolveFlags.None, path, path, []);

    /// <summary>A path of an app. Where the pod does not run, its root file system is mounted in a mount namespace that this process gets.</summary>
    /// <param name="path">From the app's root.</param>
    /// <param name="text">What a person has called the place.</param>
    /// <exception cref="PodException">The app's files cannot be reached.</exception>
    public static CopyPlace InApp(FoundPod found, AppName app, string path, string text, LayerCheck check)
    {
        var held = new List<IDisposable>();
        try
        {
            var root = AppRoot.Open(found, app, check, held);
            return new CopyPlace(root, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, path, text, [root, .. held]) { Owners = PodFileSystems.ShiftOf(found.Pod) };
        }
        catch
        {
            held.ForEach(one => one.Dispose());
            throw;
        }
    }

    /// <summary>The last name of the path; null where that is no name of something, but stands for what is in a directory.</summary>
    internal string? Name => path.TrimEnd('/') is var trimmed && trimmed[(trimmed.LastIndexOf('/') + 1)..] is var name and not ("" or "." or "..") ? name : null;

    /// <summary>Opens what the path leads to.</summary>
    /// <param name="follow">If the last name is a symlink, what that leads to.</param>
    /// <returns>O_PATH.</returns>
    /// <exception cref="PodException">There is nothing.</exception>
    internal FileDescriptor OpenSource(bool follow) =>
        Files.TryOpen(root, path, OpenFlags.Path | (follow ? 0 : OpenFlags.NoFollow), out var error, resolve: resolve) is { } opened ? Named(opened) : throw Refusal(error);

    /// <summary>Opens a directory that is there.</summary>
    internal FileDescriptor OpenDirectory() =>
        Files.TryOpen(root, path, OpenFlags.Path | OpenFlags.Directory, out var error, resolve: resolve) is { } opened ? Named(opened) : throw Refusal(error);

    /// <summary>Where something is to be put: into the directory that the path leads to, or else in its place.</summary>
    /// <param name="name">What is copied is called; null for all that is in a directory.</param>
    /// <returns>A directory, and what the copy is called there: null where the content is to be put into it.</returns>
    /// <exception cref="PodException">There is no such directory; or there is a file, and a directory comes.</exception>
    internal (FileDescriptor Directory, string? Name) OpenTarget(string? name, bool isDirectory, PlacementPolicy policy)
    {
        var existing = Files.TryOpen(root, path, OpenFlags.Path, out var error, resolve: resolve);
        if (existing is not null && Files.Status(existing).Kind == FileKind.Directory)
        {
            return (Named(existing), name);
        }

        existing?.Dispose();
        if (existing is not null && isDirectory && policy == PlacementPolicy.SameKind)
        {
            throw new PodException($"{text} is a file, and what is copied is a directory");
        }

        if ((existing is null && error != Errno.ENOENT) || (!isDirectory && path.EndsWith('/')))
        {
            throw Refusal(error);
        }

        return OpenPlace();
    }

    /// <summary>The directory that a file lies in or is to lie in, and its name there, all links followed.</summary>
    (FileDescriptor Directory, string Name) OpenPlace()
    {
        var rest = path.TrimEnd('/');
        for (int links = 0; links < MostLinks; links++)
        {
            int slash = rest.LastIndexOf('/');
            var (parent, name) = (slash < 0 ? "." : slash == 0 ? "/" : rest[..slash], rest[(slash + 1)..]);
            var directory = Files.TryOpen(root, parent, OpenFlags.Path | OpenFlags.Directory, out var error, resolve: resolve) ?? throw Refusal(error);
            if (Files.TryStatus(directory, name, out _) is not { Kind: FileKind.Symlink })
            {
                return name is not ("" or "." or "..") ? (Named(directory), name) : throw Refusal(Errno.ENOENT);
            }

            using (directory)
            {
                var link = Files.ReadLink(directory, name);
                rest = (link.StartsWith('/') ? link : $"{parent}/{link}").TrimEnd('/');
            }
        }

        throw Refusal(Errno.ELOOP);
    }

    /// <summary>Errors speak of the place as people do.</summary>
    FileDescriptor Named(FileDescriptor opened) => new(opened.Release(), text);

    PodException Refusal(Errno error) => new(error switch
    {
        Errno.ENOENT => $"{text}: there is no such file or directory",
        Errno.ENOTDIR => $"{text}: a part of the path is no directory",
        Errno.ELOOP => $"{text}: the path leads through too many links, or through one of /proc",
        _ => $"{text}: {error}",
    });

    public void Dispose()
    {
        foreach (var one in held)
        {
            one.Dispose();
        }
    }
}
