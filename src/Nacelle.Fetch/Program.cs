using Nacelle.Fetch;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

// Our own errors, so that they are never mistaken for an app's exit code.
const int Failed = 254, Interrupted = 130;

FetchCommand command;
try
{
    command = FetchCommand.Parse(args);
}
catch (FormatException usage)
{
    Console.Error.WriteLine($"nacelle: {usage.Message}");
    return Failed;
}

if (command.Help)
{
    Console.Out.Write(FetchCommand.Usage);
    return 0;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    stop.Cancel();
});

try
{
    using var store = ImageStore.Open(command.Directory);
    foreach (string text in command.Images)
    {
        var progress = new FetchProgress { Note = command.Debug ? note => Console.Error.WriteLine($"nacelle: {note}") : null };
        StoredImage image;
        await using (ProgressBars.Show(progress, enabled: !command.Debug))
        {
            image = await new ImageFetcher(store, command.Options, progress).FetchAsync(ImageName.Parse(text), stop.Token);
        }

        Console.Out.WriteLine(command.Full ? image.Id.FileName : image.ShortId);
    }

    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("nacelle: interrupted; what was downloaded is kept, and the next fetch goes on from there");
    return Interrupted;
}
catch (Exception failure) when (failure is ImageException or SpecException or LayerException or KernelException)
{
    Console.Error.WriteLine($"nacelle: {failure.Message}");
    if (command.Debug)
    {
        Console.Error.WriteLine(failure);
    }

    return Failed;
}
