using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>What a process of a container finds besides what its own section of config.json says.</summary>
sealed record ProcessSetting
{
    public RuntimeSeccomp? Seccomp { get; init; }

    /// <summary>The terminal that becomes all three standard streams; without it they are the plan's own.</summary>
    public PlanValue? Terminal { get; init; }

    public ContainerHandshake? Handshake { get; init; }

    public int PreservedDescriptors { get; init; }

    /// <summary>From descriptor 3 up, in the place of <see cref="PreservedDescriptors"/>.</summary>
    public IReadOnlyList<ContainerSocket> Sockets { get; init; } = [];

    public string? KeyringName { get; init; }

    /// <summary>The path of the program, where its first argument does not name it.</summary>
    public string? Program { get; init; }

    /// <summary>The capabilities that can be granted at all.</summary>
    public required CapabilitySet Grantable { get; init; }

    public RuntimePersonality? Personality { get; init; }

    public RuntimeMemoryPolicy? MemoryPolicy { get; init; }
}
