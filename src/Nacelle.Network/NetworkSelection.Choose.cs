namespace Nacelle.Network;

public sealed partial record NetworkSelection
{
    /// <summary>The networks of this machine that are meant, in the order in which a pod is attached to them: as their files are named, the machine's own last.</summary>
    /// <exception cref="NetworkException">There is none of a name, or it is broken.</exception>
    public IReadOnlyList<NetworkAttachment> Choose(NetworkConfigurations configurations)
    {
        if (IsHost || IsNone)
        {
            return [];
        }

        var chosen = IsAll ? configurations.Networks.Where(network => !IsOwn(network.Network.Name)).ToList()
            : Named.Keys.Where(name => !IsOwn(name)).Select(configurations.Get).OrderBy(network => configurations.Networks.ToList().IndexOf(network)).ToList();

        // As rkt has it: a pod that is not given the default network gets the restricted one beside its others.
        if (IsAll || Named.ContainsKey(Default))
        {
            chosen.Add(configurations.Get(Default));
        }
        else if (configurations.Networks.Any(network => network.Network.Name == DefaultRestricted))
        {
            chosen.Add(configurations.Get(DefaultRestricted));
        }

        return [.. chosen.Select((network, index) => new NetworkAttachment(network.Network, $"eth{index}")
        {
            Source = network.Source,
            Arguments = Named.GetValueOrDefault(network.Network.Name, []),
        })];
    }

    static bool IsOwn(string name) => name is Default or DefaultRestricted;
}
