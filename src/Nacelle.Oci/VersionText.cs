using Nacelle.Specs;

namespace Nacelle.Oci;

static class VersionText
{
    public static string Number => typeof(VersionText).Assembly.GetName().Version!.ToString(3);

    /// <summary>The lines that engines look into: name and version first, then "spec:".</summary>
    public static string Whole => $"nacelle-oci version {Number}\nspec: {RuntimeConfig.CurrentVersion}\n";
}
