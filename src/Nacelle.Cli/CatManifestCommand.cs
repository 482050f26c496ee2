using System.Text;
using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>cat-manifest</c>: shows a pod's manifest.</summary>
static class CatManifestCommand
{
    static readonly Option Pretty = new("pretty-print", null, "indent the JSON (true)");

    public static readonly Command Definition = new("cat-manifest", "[FLAGS] UUID", "show a pod's manifest", [Pretty, PodArguments.UuidFile], Run);

    static int Run(Invocation invocation)
    {
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = pods.Find(PodArguments.Single(invocation));
        var manifest = found.Pod.TryReadManifest() ?? throw new UserException($"pod {found.Pod.Uuid} is {found.State.Name()}: it has no manifest");
        Output.Line(Encoding.UTF8.GetString(manifest.ToJson(invocation.Is(Pretty, otherwise: true))));
        return 0;
    }
}
