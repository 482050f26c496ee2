using Nacelle.Linux;

namespace Nacelle.Network;

/// <summary>What has to be undone, the last first, unless all goes well.</summary>
sealed class Undo : IDisposable
{
    readonly Stack<Action> steps = [];

    public void Add(Action step) => steps.Push(step);

    /// <summary>All went well: nothing is undone.</summary>
    public void Forget() => steps.Clear();

    public void Dispose()
    {
        while (steps.TryPop(out var step))
        {
            try
            {
                step();
            }
            catch (Exception failure) when (failure is KernelException or NetworkException)
            {
                // What went wrong first is told.
            }
        }
    }
}
