namespace Nacelle.Specs;

/// <summary>What goes, with descriptors, to the socket of who answers SCMP_ACT_NOTIFY; see <see cref="RuntimeSeccomp.ListenerPath"/>.</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md, "The Container Process State".</remarks>
public sealed record ContainerProcessState
{
    /// <summary>The name among <see cref="Fds"/> of the descriptor that seccomp(2) gave with SECCOMP_FILTER_FLAG_NEW_LISTENER.</summary>
    public const string SeccompDescriptor = "seccompFd";

    public string OciVersion { get; init; } = RuntimeConfig.CurrentVersion;

    /// <summary>Names of the descriptors that are sent along, in their order.</summary>
    public IReadOnlyList<string> Fds { get; init; } = [SeccompDescriptor];

    /// <summary>The process that the filter is for, as the runtime sees it.</summary>
    public required int Pid { get; init; }

    /// <summary><see cref="RuntimeSeccomp.ListenerMetadata"/>.</summary>
    public string? Metadata { get; init; }

    public required RuntimeState State { get; init; }

    public byte[] ToJson() => SpecWriter.Write(this, Write);

    static void Write(SpecWriter json, ContainerProcessState process)
    {
        json.Text("ociVersion", process.OciVersion);
        json.Texts("fds", process.Fds);
        json.Number("pid", process.Pid);
        json.Text("metadata", process.Metadata);
        json.Object("state", process.State, RuntimeState.Write);
    }
}
