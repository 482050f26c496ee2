namespace Nacelle.Containers;

static class LaunchPlanLimits
{
    /// <summary>fsconfig(2) takes strings of at most 255 bytes, name and value apart; mount(2) takes a page of options.</summary>
    public const int LongestMountOption = 255;
}
