using Nacelle.Linux;

namespace Nacelle.Oci;

static class CreateCommand
{
    public static readonly Command Definition = new(
        "create", "[OPTIONS] ID", "make a container; its program runs when it is started", CreateOptions.All, Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        var options = CreateOptions.Take(arguments, CreateOptions.All);
        var creation = ContainerCreation.Prepare(globals, options);
        using var console = ConsoleSocket.Connect(options.ConsoleSocket, creation.Config.Process);
        var (container, birth) = creation.Make(console, waits: true);
        using (container)
        using (birth)
        {
            birth.Release();
            return 0;
        }
    }
}
