using Nacelle.Containers;
using Nacelle.Linux;

namespace Nacelle.Oci;

/// <summary>What a further process of a container needs to be one of its own.</summary>
static class JoinedContainer
{
    public static HookPlace.Container Place(Container container, FileDescriptor process)
    {
        using var group = container.OpenCgroup();
        return new HookPlace.Container(process, container.Config, Setting(container), group?.OpenJoinFiles() ?? []);
    }

    /// <remarks>
    /// A new /proc cannot be made in a user namespace that sees only masked ones: there the host's is handed in, which nobody there can get at, as it
    /// takes the right to trace in the host's user namespace. Elsewhere nothing of the host's is.
    /// </remarks>
    public static JoinSetting Setting(Container container)
    {
        bool hasUsers = (ContainerNamespaces.Own(container.Config) & Namespaces.User) != 0;
        return new JoinSetting
        {
            Proc = hasUsers ? Files.Open("/proc", OpenFlags.Path | OpenFlags.Directory) : null,
            KeyringName = container.Record.Keyring,
            HasUsers = hasUsers,
            Own = ContainerNamespaces.Own(container.Config),
        };
    }
}
