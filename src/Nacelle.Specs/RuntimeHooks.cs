namespace Nacelle.Specs;

/// <summary>Programs that run, in this order, at turns of a container's life; each gets the container's <c>state</c> on its standard input.</summary>
/// <remarks>OCI runtime specification 1.3.0, config.md, "POSIX-platform Hooks".</remarks>
public sealed record RuntimeHooks
{
    /// <summary>During create, in the runtime's namespaces, once the container's exist and before its root is entered. Deprecated.</summary>
    public IReadOnlyList<RuntimeHook> Prestart { get; init; } = [];

    /// <summary>At once after <see cref="Prestart"/>, and in the same way.</summary>
    public IReadOnlyList<RuntimeHook> CreateRuntime { get; init; } = [];

    /// <summary>After those, in the container's namespaces; the path is still one on the host.</summary>
    public IReadOnlyList<RuntimeHook> CreateContainer { get; init; } = [];

    /// <summary>During start, in the container, before its program is executed; the path is one in the container.</summary>
    public IReadOnlyList<RuntimeHook> StartContainer { get; init; } = [];

    /// <summary>In the runtime's namespaces, after the program was executed and before start returns.</summary>
    public IReadOnlyList<RuntimeHook> Poststart { get; init; } = [];

    /// <summary>In the runtime's namespaces, after the container was deleted and before delete returns; their failures are warnings.</summary>
    public IReadOnlyList<RuntimeHook> Poststop { get; init; } = [];
}

public sealed record RuntimeHook
{
    /// <summary>An absolute path.</summary>
    public required string Path { get; init; }

    /// <summary>All of its arguments, the name that it is called by first; empty stands for the path alone.</summary>
    public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary>Its whole environment.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    /// <summary>Seconds after which it is ended and has failed; null waits forever.</summary>
    public int? Timeout { get; init; }
}
