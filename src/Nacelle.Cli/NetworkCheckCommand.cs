using Nacelle.CommandLine;
using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>network check</c>: has the plug-ins look whether all that they made for pods is still there, and whether they could take further ones.</summary>
static class NetworkCheckCommand
{
    public static readonly Command Definition = new("network check", "[POD…]", "check networks, and what pods have of them", [], Run)
    {
        Description = "Without a pod, of all that run; then networks are asked as well whether they could take more (STATUS of CNI). Ends with 254 where something is wrong.",
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        bool whole = true;
        void Tell(string what, string? fault)
        {
            Output.Line($"{what}: {fault ?? "ok"}");
            whole &= fault is null;
        }

        if (invocation.Words.Count == 0)
        {
            CheckNetworks(invocation, Tell);
        }

        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        foreach (var found in invocation.Words.Count == 0 ? pods.List().Where(found => found.State == PodState.Running) : invocation.Words.Select(pods.Find))
        {
            using (found)
            {
                CheckPod(found, Tell);
            }
        }

        return whole ? 0 : CommandProgram.OwnError;
    }

    static void CheckNetworks(Invocation invocation, Action<string, string?> tell)
    {
        var configurations = NetworkFlag.Load(invocation);
        foreach (var broken in configurations.Broken)
        {
            tell(broken.Name is null ? broken.Source : $"network {broken.Name}", broken.Problem);
        }

        var plugins = new NetworkPlugins(NetworkFlag.PluginPath(invocation));
        foreach (var network in configurations.Networks)
        {
            tell($"network {network.Network.Name}", Problem(() => NetworkAttacher.Status(network.Network, plugins)));
        }
    }

    static void CheckPod(FoundPod found, Action<string, string?> tell)
    {
        var pod = found.Pod;
        if (found.State != PodState.Running || pod.ProcessId is not { } pid)
        {
            throw new UserException($"pod {pod.Uuid} is {found.State.Name()}, not running");
        }

        if (NetworkPlan.TryRead(pod.Directory) is { } plan)
        {
            var faults = new NetworkAttacher(pod.Directory, plan).Check($"/proc/{pid}/ns/net");
            tell($"pod {pod.Uuid}", faults.Count == 0 ? null : string.Join("; ", faults));
        }
    }

    static string? Problem(Action check)
    {
        try
        {
            check();
            return null;
        }
        catch (Exception problem) when (problem is NetworkException or KernelException or SpecException)
        {
            return problem.Message;
        }
    }
}
