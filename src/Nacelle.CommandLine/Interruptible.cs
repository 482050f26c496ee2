using System.Runtime.InteropServices;

namespace Nacelle.CommandLine;

/// <summary>Work that SIGINT and SIGTERM end in good order.</summary>
public static class Interruptible
{
    const int Interrupted = 130;

    /// <inheritdoc cref="Run(string, Action{CancellationToken})"/>
    public static int Run(string consequence, Func<CancellationToken, Task> work) => Run(consequence, cancellation => work(cancellation).GetAwaiter().GetResult());

    /// <param name="consequence">What a person is told on interruption.</param>
    /// <param name="work">Done on this thread.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string consequence, Action<CancellationToken> work)
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
            work(stop.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Output.Error($"interrupted; {consequence}");
            return Interrupted;
        }
    }
}
