namespace Nacelle.Supervisor;

/// <summary>Stage1's <c>app-stop</c>: asks an app to end, and returns when it has.</summary>
static class Stage1AppStop
{
    public static int Stop(string[] arguments)
    {
        using var control = PodControl.Connect();
        control.Ask(new ControlMessage(ControlVerb.Stop, AppArguments.Parse("app-stop", arguments).App));
        return 0;
    }
}
