namespace Nacelle.Oci;

static class StateCommand
{
    public static readonly Command Definition = new("state", "ID", "print the state of a container", [], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        arguments.TakeOptions([], (_, _) => { });
        var id = arguments.Need("the container's id");
        arguments.End();
        using var container = new ContainerStore(globals.Root).Open(id);
        Output.Write(ContainerView.ToJson(container));
        Output.Line("");
        return 0;
    }
}
