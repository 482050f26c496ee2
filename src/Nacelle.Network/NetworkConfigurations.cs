using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <param name="Source">The file that it is from, whose name says where in the order it stands.</param>
public sealed record LoadedNetwork(string Source, NetworkConfiguration Network);

/// <summary>A file that is no network's configuration.</summary>
/// <param name="Name">The network that it seems to be of; null where not even that can be read.</param>
/// <param name="Problem">With the file.</param>
public sealed record BrokenNetwork(string Source, string? Name, string Problem);

/// <summary>The networks that there are on this machine.</summary>
public sealed class NetworkConfigurations
{
    static readonly string[] Endings = [".conflist", ".conf", ".json"];

    readonly Dictionary<string, LoadedNetwork> networks = new(StringComparer.Ordinal);
    readonly List<BrokenNetwork> broken = [];

    NetworkConfigurations(IEnumerable<LoadedNetwork> builtIn)
    {
        foreach (var network in builtIn)
        {
            networks[network.Network.Name] = network;
        }
    }

    /// <summary>In the order of their files' names, in which pods are attached to them.</summary>
    public IReadOnlyList<LoadedNetwork> Networks => [.. networks.Values.OrderBy(one => Path.GetFileName(one.Source), StringComparer.Ordinal)];

    /// <summary>What is wrong in the directories, and does not stop the rest.</summary>
    public IReadOnlyList<BrokenNetwork> Broken => broken;

    /// <summary>Reads all files that end in <c>.conflist</c>, <c>.conf</c> and <c>.json</c>. A network replaces one of its name from a weaker directory, also when it is broken.</summary>
    /// <param name="directories">The weakest first; some need not exist.</param>
    /// <param name="builtIn">The weakest of all.</param>
    /// <exception cref="KernelException">A directory cannot be read.</exception>
    public static NetworkConfigurations Load(IReadOnlyList<string> directories, IReadOnlyList<LoadedNetwork> builtIn)
    {
        var all = new NetworkConfigurations(builtIn);
        foreach (var directory in directories)
        {
            all.Add(directory);
        }

        return all;
    }

    /// <exception cref="NetworkException">There is none of that name, or its file is broken.</exception>
    public LoadedNetwork Get(string name)
    {
        if (networks.TryGetValue(name, out var network))
        {
            return network;
        }

        if (broken.Find(one => one.Name == name) is { } fault)
        {
            throw new NetworkException(NetworkException.InvalidConfiguration, $"network {name}: {fault.Problem}");
        }

        var nameless = broken.Where(one => one.Name is null).Select(one => one.Problem).ToList();
        throw new NetworkException(
            NetworkException.InvalidConfiguration,
            $"there is no network '{SpecException.OneLine(name)}', only {string.Join(", ", Networks.Select(one => one.Network.Name))}{(nameless.Count == 0 ? "" : $"; not understood: {string.Join("; ", nameless)}")}");
    }

    void Add(string directory)
    {
        var here = new Dictionary<string, LoadedNetwork>(StringComparer.Ordinal);
        var faults = new List<BrokenNetwork>();
        var doubles = new List<BrokenNetwork>();
        foreach (var path in FilesOf(directory, Endings))
        {
            try
            {
                var network = Read(directory, path);
                if (!here.TryAdd(network.Name, new LoadedNetwork(path, network)))
                {
                    doubles.Add(new BrokenNetwork(path, network.Name, $"{path}: name: '{network.Name}' is the network of {here[network.Name].Source} already"));
                }
            }
            catch (Exception problem) when (problem is SpecException or KernelException)
            {
                faults.Add(new BrokenNetwork(path, TryReadName(path), problem.Message));
            }
        }

        foreach (var fault in faults.Where(fault => fault.Name is not null))
        {
            networks.Remove(fault.Name!);
        }

        foreach (var (name, network) in here)
        {
            broken.RemoveAll(fault => fault.Name == name);
            networks[name] = network;
        }

        broken.AddRange(faults);
        broken.AddRange(doubles);
    }

    static NetworkConfiguration Read(string directory, string path)
    {
        var json = Files.ReadAll(FileDescriptor.WorkingDirectory, path);
        if (!path.EndsWith(".conflist", StringComparison.Ordinal))
        {
            return NetworkConfiguration.ParseSingle(json, path);
        }

        var network = NetworkConfiguration.Parse(json, path);
        if (network.LoadOnlyInlinedPlugins)
        {
            return network;
        }

        string folder = $"{directory}/{network.Name}";
        var further = FilesOf(folder, [".conf"]).Select(file => PluginConfiguration.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, file), file));
        return network with { Plugins = [.. network.Plugins, .. further] } is { Plugins.Count: > 0 } whole ? whole
            : throw new SpecException("plugins", $"is missing, and there are none in {folder}").In(path);
    }

    static string? TryReadName(string path)
    {
        try
        {
            return SpecNode.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, path), node => node.FindFilled("name"));
        }
        catch (Exception problem) when (problem is SpecException or KernelException)
        {
            return null;
        }
    }

    static IEnumerable<string> FilesOf(string directory, string[] endings) => Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, directory)
        .Where(entry => entry.Kind is FileKind.Regular or FileKind.Symlink or 0 && endings.Contains(Path.GetExtension(entry.Name)))
        .Select(entry => $"{directory}/{entry.Name}")
        .Order(StringComparer.Ordinal);
}
