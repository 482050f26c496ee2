using Nacelle.Linux;

namespace Nacelle.Oci;

/// <summary>The way by which a terminal's outer side comes to this process, when nobody else wants it.</summary>
sealed class TerminalChannel : IDisposable
{
    public TerminalChannel() => (Inside, Outside) = Sockets.CreatePair("terminal");

    public FileDescriptor Inside { get; }

    public FileDescriptor Outside { get; }

    /// <summary>The process has its copy now; when that is gone, the channel ends.</summary>
    public void Started() => Inside.Dispose();

    public void Dispose()
    {
        Inside.Dispose();
        Outside.Dispose();
    }
}
