using Nacelle.Linux;

namespace Nacelle.Network;

/// <summary>What all stores of this machine, or of a user who is not root, share of pods that have networks: a lock, and for each pod a link to its directory. It is gone when the machine starts anew, as the networks are.</summary>
public static class NetworkState
{
    static readonly string Directory = UserNamespaces.IsInitial && Processes.IsRoot ? "/run/nacelle/pods"
        : $"{Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? Environment.GetEnvironmentVariable("HOME") + "/.local/share"}/nacelle/networks";

    /// <summary>See <see cref="NetworkPlan.Lock"/>.</summary>
    public static string Lock => Directory + "/lock";

    /// <param name="podDirectory">Its absolute path.</param>
    public static void Register(string uuid, string podDirectory)
    {
        Files.EnsureDirectories(Directory, 0x1C0).Dispose();
        Forget(uuid);
        Files.MakeSymlink(podDirectory, FileDescriptor.WorkingDirectory, $"{Directory}/{uuid}");
    }

    /// <summary>Where a plug-in that is built in may keep something of a pod.</summary>
    public static string FileOf(string uuid, string name) => $"{Directory}/{uuid}.{name}";

    public static void Forget(string uuid) => Files.TryUnlink(FileDescriptor.WorkingDirectory, $"{Directory}/{uuid}");

    /// <summary>The directories of all pods that have, or had, networks; some may be gone.</summary>
    public static IReadOnlyList<(string Uuid, string Directory)> Pods() =>
    [
        .. Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, Directory)
            .Where(entry => entry.Kind == FileKind.Symlink)
            .Select(entry => (entry.Name, Files.ReadLink(FileDescriptor.WorkingDirectory, $"{Directory}/{entry.Name}"))),
    ];
}
