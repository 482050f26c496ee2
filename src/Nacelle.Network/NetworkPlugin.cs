using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>A plug-in: one that is built in takes the same configuration as the program of that name, and no process. See the CNI specification 1.1.0, section 2.</summary>
/// <param name="Type">The name in a configuration's <c>type</c>.</param>
/// <param name="Add">Throws <see cref="NetworkException"/>, and has undone then what it did.</param>
/// <param name="Delete">Does nothing where nothing is left; the namespace may be gone.</param>
/// <param name="Check">Throws <see cref="NetworkException"/> where something that ADD made is missing.</param>
public sealed record NetworkPlugin(string Type, Func<PluginCall, NetworkResult> Add, Action<PluginCall> Delete, Action<PluginCall> Check)
{
    /// <summary>Removes what belongs to none of the attachments that are said to be valid; null for a plug-in that keeps nothing of its own.</summary>
    public Action<PluginCall>? Collect { get; init; }

    /// <summary>Whether the plug-in could take an ADD; null for one that always could.</summary>
    public Action<PluginCall>? Status { get; init; }

    /// <summary>Why a configuration takes the program of its name rather than what is built in, as in <c>'vlan' is only known to that</c>; null, as what it says, where it does not.</summary>
    public Func<SpecNode, string?>? NeedsProgram { get; init; }

    /// <summary>The path of its program; null for one that is built in.</summary>
    public string? Program { get; init; }

    /// <summary>What it speaks; null for all that is spoken here.</summary>
    public Func<IReadOnlyList<CniVersion>>? Versions { get; init; }
}
