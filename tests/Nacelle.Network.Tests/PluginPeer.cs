using System.Text;
using System.Text.RegularExpressions;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network.Tests;

/// <summary>One network in a machine of the test's own, by what is built in or by Debian's programs.</summary>
sealed partial class PluginPeer : IDisposable
{
    public const string Programs = "/usr/lib/cni";

    readonly TemporaryDirectory directory = new();
    readonly FileDescriptor pod;
    readonly NetworkPlan plan;

    /// <param name="json">With <c>$LEASES</c> for a directory of leases.</param>
    public PluginPeer(string json, bool builtIn, string container = "3b6a8f1c-pod", CapabilityArguments? capabilities = null, string? leases = null, IReadOnlyList<KeyValuePair<string, string>>? arguments = null)
    {
        json = json.Replace("$LEASES", leases ?? $"{directory.Path}/leases", StringComparison.Ordinal).Replace("$DIRECTORY", directory.Path, StringComparison.Ordinal);
        var attachment = new NetworkAttachment(NetworkConfiguration.Parse(Encoding.UTF8.GetBytes(json), "test"), "eth0") { CapabilityArguments = capabilities ?? new(), Arguments = arguments ?? [] };
        pod = Files.Open(directory.Path, OpenFlags.ReadOnly | OpenFlags.Directory);
        plan = new NetworkPlan { ContainerId = container, Attachments = [attachment], PluginPath = builtIn ? [] : [Programs], Lock = $"{directory.Path}/lock" };
        plan.Write(pod);
        Attacher = new NetworkAttacher(pod, plan);
    }

    public NetworkAttacher Attacher { get; }

    public PodNamespace Pod { get; } = new();

    public NetworkResult Attach() => Assert.Single(Attacher.Attach(Pod.Path));

    public void Detach() => Attacher.Detach(Pod.Path);

    /// <summary>What there is in the pod and outside, without what is drawn by lot.</summary>
    public string Show(NetworkResult result) => string.Join(
        '\n',
        Anonymous(Encoding.UTF8.GetString(result.ToJson(CniVersion.Major1))),
        "POD", Picture(command => Pod.Run(command)),
        "HOST", Picture(Shell.Run));

    public void Dispose()
    {
        Pod.Dispose();
        pod.Dispose();
        directory.Dispose();
    }

    string Picture(Func<string, string> run) => Anonymous(string.Join('\n',
        Sorted(run("ip -o address show").Split('\n').Where(line => !line.Contains("inet6 fe80:", StringComparison.Ordinal)).Select(line => Lifetime().Replace(line, ""))),
        Sorted(run("ip route show table main").Split('\n')),
        Sorted(run("ip -6 route show table main").Split('\n').Where(line => !line.StartsWith("fe80:", StringComparison.Ordinal))),
        Sorted(run("ip -o link show").Split('\n'))));

    static string Sorted(IEnumerable<string> lines) => string.Join('\n', lines.Select(Anonymous).Select(line => line.Trim()).Where(line => line.Length > 0).Order(StringComparer.Ordinal));

    static string Anonymous(string text) => Number().Replace(
        Path().Replace(Mac().Replace(Name().Replace(text, "VETH"), "MAC"), "/proc/PID/"),
        "");

    [GeneratedRegex("veth[0-9a-f]{8}", RegexOptions.None, 1000)]
    private static partial Regex Name();

    [GeneratedRegex("([0-9a-f]{2}:){5}[0-9a-f]{2}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Mac();

    [GeneratedRegex("/proc/[0-9]+/", RegexOptions.None, 1000)]
    private static partial Regex Path();

    // Indexes; flags that only say how something was set; and queues, of which Debian's programs give their devices none.
    [GeneratedRegex("(?m)^[0-9]+: |@if[0-9]+|link-netnsid [0-9]+| nodad| noprefixroute| onlink| tentative|(?<=default )qlen [0-9]+", RegexOptions.None, 1000)]
    private static partial Regex Number();

    [GeneratedRegex(@"\\ *valid_lft.*", RegexOptions.None, 1000)]
    private static partial Regex Lifetime();
}
