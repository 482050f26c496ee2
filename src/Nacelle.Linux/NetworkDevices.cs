namespace Nacelle.Linux;

/// <summary>Network devices of the host that go into a container. See config-linux.md of the OCI runtime specification, "Network Devices".</summary>
public static class NetworkDevices
{
    /// <summary>Moves a device into another network namespace, with its permanent addresses of global scope, and sets it up there.</summary>
    /// <param name="host">In the namespace where the device is.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="networkNamespace">Where it goes: a descriptor of /proc/PID/ns/net or of a bind mount of it.</param>
    /// <param name="newName">Its name in there: free, or a template such as <c>eth%d</c>, which is given the first free number.</param>
    /// <returns>The name that it has got.</returns>
    /// <remarks>The kernel keeps hardware address, MTU and the like, and drops addresses and routes. When it fails halfway, the device is in the new namespace already.</remarks>
    /// <exception cref="KernelException">ENODEV: no such device; EEXIST: the new name is taken; EINVAL: a device of that kind stays where it is.</exception>
    public static string Move(NetlinkSocket host, string name, FileDescriptor networkNamespace, string newName)
    {
        var link = NetworkLink.Find(host, name) ?? throw new KernelException($"move network device {name}", Errno.ENODEV);
        using var container = NetlinkSocket.Open(networkNamespace);
        var names = NetworkLink.List(container).Select(other => other.Name).ToHashSet(StringComparer.Ordinal);
        newName = Number(newName, names);

        // The kernel would move first and rename then: the device would be gone from the host and the error come after that.
        if (names.Contains(newName))
        {
            throw new KernelException($"move network device {name}: name it {newName} in the container", Errno.EEXIST);
        }

        var addresses = NetworkAddress.List(host, link).Where(address => address.IsPermanent && address.IsGlobal).ToList();
        host.Apply(link.Changing(new LinkSettings { Namespace = networkNamespace, Name = newName }, $"move network device {name} to {newName} in {networkNamespace}"));
        var moved = NetworkLink.Find(container, newName) ?? throw new KernelException($"find network device {newName} after it was moved", Errno.ENODEV);
        foreach (var address in addresses)
        {
            // A label starts with the device's name.
            string? alias = address.Label is { } label && label.StartsWith(name + ":", StringComparison.Ordinal) ? label[name.Length..] : null;
            container.Apply((address with { Label = alias is null ? null : newName + alias }).Adding(moved));
        }

        container.Apply(moved.Changing(new LinkSettings { IsUp = true }));
        GC.KeepAlive(networkNamespace);
        return newName;
    }

    /// <summary>The first free name of a template. The kernel would number it likewise, but twice where the old name is taken, and not say how.</summary>
    static string Number(string template, HashSet<string> names)
    {
        string Name(int number) => template.Replace("%d", $"{number}", StringComparison.Ordinal);
        int free = 0;
        while (names.Contains(Name(free)) && Name(free) != template)
        {
            free++;
        }

        return Name(free);
    }
}
