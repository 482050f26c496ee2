using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>gc</c>: removes what dead pods and crashed commands have left.</summary>
static class CollectCommand
{
    static readonly Option Grace = new("grace-period", "DURATION", "keep exited pods so long (30m)");
    static readonly Option ExpirePrepared = new("expire-prepared", "DURATION", "keep prepared pods so long (24h)");
    static readonly Option MarkOnly = new("mark-only", null, "only mark pods as garbage, remove none");

    public static readonly Command Definition = new(
        "gc", "[FLAGS]", "remove what dead pods have left", [Grace, ExpirePrepared, MarkOnly], Run);

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        var options = new CollectOptions
        {
            Grace = Durations.Of(invocation, Grace, TimeSpan.FromMinutes(30)),
            ExpirePrepared = Durations.Of(invocation, ExpirePrepared, TimeSpan.FromHours(24)),
            MarkOnly = invocation.Is(MarkOnly),
        };
        bool whole = PodCollection.Collect(pods, options, done => Output.Line(done), problem => Output.Error(problem));
        if (!options.MarkOnly)
        {
            // Layers that only removed pods used, and what interrupted downloads and unpackings have left.
            using var images = ImageStore.Open(pods.Path);
            images.Layers.Sweep();
            images.Collect(() => PodCollection.LayersInUse(pods), TimeSpan.FromHours(24));
        }

        return whole ? 0 : 254;
    }
}
