using System.Text.Json;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>The plug-ins of one network, called one after the other for one pod, or for none. See the CNI specification 1.1.0, section 3.</summary>
/// <param name="attachment">Null for GC and STATUS.</param>
/// <param name="call">What does not differ from plug-in to plug-in.</param>
sealed class NetworkChain(NetworkConfiguration network, NetworkAttachment? attachment, PluginCall call)
{
    /// <summary>What the runtime says in its own words, whatever the configuration holds. See section 3, "Deriving request configuration from plugin configuration".</summary>
    static readonly string[] Ours = ["cniVersion", "name", "capabilities", "runtimeConfig", "prevResult"];

    (PluginConfiguration Configuration, NetworkPlugin Plugin)[] plugins = [];

    /// <summary>In which the plug-ins are spoken to; known once the chain is prepared.</summary>
    public CniVersion Version { get; private set; }

    /// <summary>Finds the plug-ins, and agrees on a version with them; nothing is changed.</summary>
    /// <exception cref="NetworkException">There is none of a type, or no version that all speak.</exception>
    public void Prepare() => Prepare(null, null);

    /// <param name="known">The version of an earlier call for the same attachment; null to agree on one.</param>
    /// <param name="missing">Takes what is wrong with those that cannot be called; null to give up.</param>
    void Prepare(CniVersion? known, List<NetworkException>? missing)
    {
        var found = new List<(PluginConfiguration, NetworkPlugin Plugin)>();
        foreach (var configuration in network.Plugins)
        {
            try
            {
                found.Add((configuration, Guard(configuration.Type, () => call.Plugins.Find(configuration.Type, configuration.Json))));
            }
            catch (NetworkException problem) when (missing is not null)
            {
                missing.Add(problem);
            }
        }

        Version = known ?? Agree(found.ConvertAll(one => one.Plugin));
        plugins = [.. found];
    }

    /// <summary>The newest version that all speak. Where the configuration offers one only, plug-ins say themselves what they think of it.</summary>
    CniVersion Agree(List<NetworkPlugin> found)
    {
        if (network.Versions.Count == 1)
        {
            return network.Versions[0];
        }

        var left = network.Versions;
        foreach (var plugin in found)
        {
            if (plugin.Versions is { } ask && Guard(plugin.Type, ask) is var spoken && (left = [.. left.Where(spoken.Contains)]).Count == 0)
            {
                throw new NetworkException(
                    NetworkException.IncompatibleVersion,
                    $"plug-in {plugin.Type}: speaks {string.Join(", ", spoken)} of CNI, which leaves none of the configuration's {string.Join(", ", network.Versions)}");
            }
        }

        return left[0];
    }

    /// <summary>For a chain that is prepared.</summary>
    /// <exception cref="NetworkException">A plug-in failed; those before it have been called.</exception>
    public NetworkResult Add()
    {
        NetworkResult? result = null;
        foreach (var (configuration, plugin) in plugins)
        {
            result = Guard(plugin.Type, () => plugin.Add(Request(configuration) with { PreviousResult = result }));
        }

        return result ?? new NetworkResult();
    }

    /// <summary>Calls all, the last first, also when some fail.</summary>
    /// <param name="added">What ADD came to; null where that is not known.</param>
    /// <returns>What has failed.</returns>
    public IReadOnlyList<NetworkException> Delete(AttachmentRecord? added)
    {
        var problems = new List<NetworkException>();
        try
        {
            Prepare(added?.Version, problems);
            foreach (var (configuration, plugin) in plugins.Reverse())
            {
                Guard(plugin.Type, plugin.Delete, Request(configuration) with { PreviousResult = added?.Result }, problems);
            }
        }
        catch (NetworkException problem)
        {
            problems.Add(problem); // no version that all speak
        }

        return problems;
    }

    /// <exception cref="NetworkException">A plug-in says that something is missing; those after it are not asked.</exception>
    public void Check(AttachmentRecord added)
    {
        if (network.DisableCheck || added.Version < CniVersion.Checks)
        {
            return;
        }

        Prepare(added.Version, null);
        foreach (var (configuration, plugin) in plugins)
        {
            Guard(plugin.Type, plugin.Check, Request(configuration) with { PreviousResult = added.Result });
        }
    }

    /// <summary>Calls all, also when some fail.</summary>
    public IReadOnlyList<NetworkException> Collect(IReadOnlyList<ValidAttachment> valid)
    {
        var problems = new List<NetworkException>();
        Prepare(null, problems);
        if (Version >= CniVersion.Collections)
        {
            foreach (var (configuration, plugin) in plugins)
            {
                Guard(plugin.Type, plugin.Collect ?? (_ => { }), Request(configuration, valid), problems);
            }
        }

        return problems;
    }

    /// <exception cref="NetworkException">A plug-in could not take an ADD now, or there is none of that type.</exception>
    public void AskStatus()
    {
        Prepare();
        if (Version >= CniVersion.Collections)
        {
            foreach (var (configuration, plugin) in plugins)
            {
                Guard(plugin.Type, plugin.Status ?? (_ => { }), Request(configuration));
            }
        }
    }

    PluginCall Request(PluginConfiguration plugin, IReadOnlyList<ValidAttachment>? valid = null)
    {
        var request = SpecWriter.Write(plugin, (json, configuration) =>
        {
            json.Text("cniVersion", Version.ToString());
            json.Text("name", network.Name);
            foreach (var member in configuration.Json.EnumerateObject().Where(member => !Ours.Contains(member.Name) && !member.Name.StartsWith("cni.dev/", StringComparison.Ordinal)))
            {
                json.Raw(member.Name, member.Value);
            }

            if (attachment is not null && attachment.CapabilityArguments.Names.Any(configuration.Capabilities.Contains))
            {
                json.Group("runtimeConfig", inner => attachment.CapabilityArguments.Write(inner, configuration.Capabilities.Contains));
            }

            if (valid is not null)
            {
                json.List("cni.dev/valid-attachments", valid, ValidAttachment.Write, always: true);
                json.List("cni.dev/attachments", valid, ValidAttachment.Write, always: true); // an error of early drafts, to which plug-ins were built
            }
        });
        using var document = JsonDocument.Parse(request);
        return call with { Configuration = document.RootElement.Clone(), Version = Version };
    }

    static T Guard<T>(string type, Func<T> act)
    {
        try
        {
            return act();
        }
        catch (NetworkException problem)
        {
            throw new NetworkException(problem.Code, $"plug-in {type}: {problem.Message}", problem.Details);
        }
        catch (KernelException problem)
        {
            throw new NetworkException(NetworkException.Internal, $"plug-in {type}: {problem.Message}");
        }
        catch (SpecException problem)
        {
            throw new NetworkException(NetworkException.InvalidConfiguration, $"plug-in {type}: {problem.Message}");
        }
    }

    static void Guard(string type, Action<PluginCall> act, PluginCall request, List<NetworkException>? problems = null)
    {
        try
        {
            Guard(type, () =>
            {
                act(request);
                return true;
            });
        }
        catch (NetworkException problem) when (problems is not null)
        {
            problems.Add(problem);
        }
    }
}

/// <summary>One that is to be kept, for GC.</summary>
public sealed record ValidAttachment(string ContainerId, string InterfaceName)
{
    internal static void Write(SpecWriter json, ValidAttachment valid)
    {
        json.Text("containerID", valid.ContainerId);
        json.Text("ifname", valid.InterfaceName);
    }
}
