using System.Runtime.InteropServices;
using Nacelle.CommandLine;

namespace Nacelle.Fetch;

/// <summary>Work that SIGINT and SIGTERM end in good order.</summary>
static class Interruptible
{
    const int Interrupted = 130;

    /// <param name="consequence">What a person is told on interruption.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string consequence, Func<CancellationToken, Task> work)
    {
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }

        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            work(stop.Token).GetAwaiter().GetResult();
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Output.Error($"interrupted; {consequence}");
            return Interrupted;
        }
    }
}
