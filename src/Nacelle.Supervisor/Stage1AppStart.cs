namespace Nacelle.Supervisor;

/// <summary>Stage1's <c>app-start</c>: starts an app that was added, or has ended.</summary>
static class Stage1AppStart
{
    public static int Start(string[] arguments)
    {
        using var control = PodControl.Connect();
        control.Ask(new ControlMessage(ControlVerb.Start, AppArguments.Parse("app-start", arguments).App));
        return 0;
    }
}
