namespace Nacelle.Oci;

static class FeaturesCommand
{
    public static readonly Command Definition = new("features", "", "print what this runtime can do, as JSON", [], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        arguments.TakeOptions([], (_, _) => { });
        arguments.End();
        Output.Write(TrueFeatures.Find().ToJson());
        Output.Line("");
        return 0;
    }
}
