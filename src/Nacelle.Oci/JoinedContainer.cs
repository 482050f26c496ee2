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

    /// <summary>As with <see cref="ContainerCreation"/>.</summary>
    public static JoinSetting Setting(Container container) => new()
    {
        Proc = Files.Open("/proc", OpenFlags.Path | OpenFlags.Directory),
        KeyringName = container.Record.Keyring,
        HasUsers = (ContainerNamespaces.Own(container.Config) & Namespaces.User) != 0,
    };
}
