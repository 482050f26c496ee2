using System.Net;
using Nacelle.Linux;

namespace Nacelle.Network;

/// <summary>The leases of a network, locked: a small file for each address, in the form of the plug-in host-local, so that both may give from one range.</summary>
/// <remarks>
/// A lease has its content before it has its name, so whoever is killed meanwhile leaves none, or a whole one. It is not forced onto the disk:
/// when the machine stops, whatever the leases were given to stops with it.
/// </remarks>
sealed class LeaseDirectory : IDisposable
{
    const string LockName = "lock", LastName = "last_reserved_ip.", NewName = ".new-lease";

    readonly FileDescriptor directory, held;
    readonly Dictionary<IPAddress, Lease> leases = [];

    LeaseDirectory(FileDescriptor directory, FileDescriptor held)
    {
        this.directory = directory;
        this.held = held;
        foreach (var entry in Directories.List(directory))
        {
            // What is empty was left by a plug-in that was killed: it is nobody's, and its address is free.
            if (IPAddress.TryParse(entry.Name, out _) && Files.TryReadText(directory, entry.Name) is { } content && Lease.Parse(entry.Name, content) is { } lease)
            {
                leases[lease.Address] = lease;
            }
        }
    }

    public IReadOnlyCollection<Lease> Leases => leases.Values;

    /// <summary>Waits until nobody else gives or takes leases of the network.</summary>
    public static LeaseDirectory Open(string dataDirectory, string network)
    {
        var directory = Files.EnsureDirectories(Path.Combine(dataDirectory, network));
        try
        {
            var held = Files.Open(directory, LockName, OpenFlags.ReadWrite | OpenFlags.Create, 0x180);
            FileLock.Acquire(held, LockKind.Exclusive);
            return new LeaseDirectory(directory, held);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        held.Dispose();
        directory.Dispose();
    }

    public Lease? Find(IPAddress address) => leases.GetValueOrDefault(address);

    /// <summary>Gives an address that is free.</summary>
    /// <param name="range">The number of the set that it comes from: the next search in it starts behind this address.</param>
    public void Add(Lease lease, int range)
    {
        Files.WriteAll(directory, NewName, lease.Content, 0x180);
        Files.Rename(directory, NewName, directory, lease.Address.ToString());
        leases.Add(lease.Address, lease);
        Files.WriteAll(directory, LastName + range, lease.Address.ToString(), 0x180);
    }

    public void Remove(Lease lease)
    {
        Files.TryUnlink(directory, lease.Address.ToString());
        leases.Remove(lease.Address);
    }

    /// <summary>The address of a set that was given last; null where that is not known.</summary>
    public IPAddress? FindLast(int range) => IPAddress.TryParse(Files.TryReadText(directory, LastName + range)?.Trim(), out var address) ? address : null;
}
