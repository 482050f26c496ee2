using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>The socket on which an engine receives the outer side of a terminal.</summary>
static class ConsoleSocket
{
    /// <summary>Connects where the process has a terminal, and refuses what does not fit together.</summary>
    public static FileDescriptor? Connect(string? path, RuntimeProcess? process) => (path, process?.Terminal ?? false) switch
    {
        (null, false) => null,
        (null, true) => throw new UserException("the process has a terminal, and there is no --console-socket to hand its other side to"),
        (_, false) => throw new UserException("--console-socket is for processes with a terminal"),
        _ => Sockets.Connect(path),
    };
}
