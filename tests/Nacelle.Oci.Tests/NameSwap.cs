using Nacelle.Linux;

namespace Nacelle.Oci.Tests;

/// <summary>Exchanges two names of a directory as fast as it can, until it is disposed of: the other side of a race.</summary>
sealed class NameSwap : IDisposable
{
    readonly Thread thread;
    volatile bool ended;

    public NameSwap(string directory, string one, string other)
    {
        thread = new Thread(() =>
        {
            using var at = Files.Open(directory, OpenFlags.Path | OpenFlags.Directory);
            while (!ended)
            {
                Files.Rename(at, one, at, other, RenameFlags.Exchange);
                Count++;
            }
        });
        thread.Start();
    }

    public long Count { get; private set; }

    public void Dispose()
    {
        ended = true;
        thread.Join();
    }
}
