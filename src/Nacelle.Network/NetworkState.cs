using Nacelle.Linux;

namespace Nacelle.Network;

/// <summary>What all stores of this machine share of pods that have networks: a lock, and for each pod a link to its directory. It is gone when the machine starts anew, as the networks are.</summary>
public static class NetworkState
{
    const string Directory = "/run/nacelle/pods";

    /// <summary>See <see cref="NetworkPlan.Lock"/>.</summary>
    public static string Lock => Directory + "/lock";

    /// <param name="podDirectory">Its absolute path.</param>
    public static void Register(string uuid, string podDirectory)
    {
        Files.EnsureDirectories(Directory, 0x1C0).Dispose();
        Forget(uuid);
        Files.MakeSymlink(podDirectory, FileDescriptor.WorkingDirectory, $"{Directory}/{uuid}");
    }

    public static void Forget(string uuid) => Files.TryUnlink(FileDescriptor.WorkingDirectory, $"{Directory}/{uuid}");

    /// <summary>The directories of all pods that have, or had, networks; some may be gone.</summary>
    public static IReadOnlyList<(string Uuid, string Directory)> Pods() =>
    [
        .. Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, Directory)
            .Where(entry => entry.Kind == FileKind.Symlink)
            .Select(entry => (entry.Name, Files.ReadLink(FileDescriptor.WorkingDirectory, $"{Directory}/{entry.Name}"))),
    ];
}
