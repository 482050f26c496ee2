using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>Hands the descriptor on which system calls are decided about to who listens.</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md, "The Container Process State".</remarks>
static class SeccompListener
{
    /// <param name="pid">The process that the filter is for, which need not be the container's first.</param>
    public static void Send(RuntimeConfig config, RuntimeState state, int pid, FileDescriptor listener)
    {
        var seccomp = config.Linux!.Seccomp!;
        using var socket = Sockets.Connect(seccomp.ListenerPath ?? throw new SpecException("linux.seccomp.listenerPath", "is missing"));
        var message = new ContainerProcessState
        {
            Pid = pid,
            Metadata = seccomp.ListenerMetadata,
            State = state,
        };
        Sockets.Send(socket, message.ToJson(), listener);
    }
}
