using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What was said of a mutable pod when it was run, for those who add apps later: <c>runtime-config</c> in its directory.</summary>
sealed record PodSettings(string Hostname, bool HostNetwork)
{
    const string FileName = "runtime-config";

    public void Write(Pod pod) => Files.WriteAll(pod.Directory, FileName, SpecWriter.Write(this, static (json, settings) =>
    {
        json.Text("hostname", settings.Hostname);
        json.Flag("hostNetwork", settings.HostNetwork);
    }));

    public static PodSettings Read(Pod pod) => SpecNode.Parse(
        Files.ReadAll(pod.Directory, FileName), $"{pod.Path}/{FileName}",
        static node => new PodSettings(node.Need("hostname").Text(), node.FindFlag("hostNetwork")));
}
