using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>The command line of stage1's <c>run</c>.</summary>
/// <remarks>
/// rkt, stage1-implementors-guide.md: later versions of the contract have more flags. What a stage1 of an earlier version cannot be told is left out, with a
/// warning where somebody asked for it.
/// </remarks>
static class Stage1Arguments
{
    /// <param name="hostname">The pod's, given or made up.</param>
    public static List<string> Of(Pod pod, AppImageManifest stage1, PodRunOptions options, string hostname, bool mutable, Action<string> warn)
    {
        int version = Stage1.InterfaceVersion(stage1);
        List<string> arguments = [$"--net={options.Network!.Text}"];
        void Add(int since, bool wanted, string flag, bool asked = true)
        {
            if (wanted && version >= since)
            {
                arguments.Add(flag);
            }
            else if (wanted && asked)
            {
                warn($"the stage1 {stage1.Name} does not know {flag}: it keeps interface version {version}, and that flag came with {since}");
            }
        }

        if (options.HostProcesses && pod.HasStage1Image)
        {
            throw new PodException($"--pid=host is no flag of the contract: the stage1 {stage1.Name} does not know it");
        }

        if (options.LogDriver is not null && pod.HasStage1Image)
        {
            throw new PodException($"--log-driver is no flag of the contract: the stage1 {stage1.Name} does not know it");
        }

        Add(1, options.HostProcesses, "--pid=host");
        Add(1, options.LogDriver is not null, $"--log-driver={options.LogDriver}");
        Add(1, options.Interactive, "--interactive");
        Add(1, pod.PrivateUsers is not null, $"--private-users={pod.PrivateUsers?.Shift}:{pod.PrivateUsers?.Count}");
        if (pod.HasStage1Image && PodRegistration.Read(pod) is { } registration) // ours finds it in the apps' bundles
        {
            arguments.Add($"--mds-token={registration.Token}");
        }

        if (pod.HasStage1Image && options.LocalConfiguration is { } configuration && options.Network is { IsHost: false, IsNone: false } && !Stage1.Says(stage1, Stage1.NetworksAnnotation, "planned"))
        {
            arguments.Add($"--local-config={configuration}");
        }

        Add(2, true, $"--hostname={hostname}", asked: options.Hostname is not null);
        foreach (var flag in options.StageFlags())
        {
            Add(flag == "--debug" ? 1 : 3, true, flag);
        }

        if (options.HostIpc && pod.PrivateUsers is not null)
        {
            throw new PodException("--ipc=parent and --private-users exclude each other: a user namespace has no rights in the host's IPC namespace");
        }

        Add(4, true, $"--dns-conf-mode={options.Names.Modes}", asked: false);
        Add(5, mutable, "--mutable");
        Add(6, options.HostIpc, "--ipc=parent");
        arguments.Add(pod.Uuid);
        return arguments;
    }
}
