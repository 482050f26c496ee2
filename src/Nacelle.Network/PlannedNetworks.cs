using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>A stage1's part: what stage0 has planned for a pod is done when the pod has its namespaces, and undone when it has ended. The working directory is the pod's.</summary>
/// <param name="apps">The names of the pod's apps.</param>
/// <param name="resolver">Whether a network's name servers are to be the apps' (<c>--dns-conf-mode=resolv=default</c> of the contract).</param>
public sealed class PlannedNetworks(IEnumerable<string> apps, bool resolver)
{
    /// <summary>Keeps the namespace when the pod has ended; null where nothing needs to.</summary>
    FileDescriptor? held;

    /// <param name="namespacePath">A path by which any process reaches the pod's network namespace.</param>
    /// <exception cref="NetworkException">A network failed; nothing is left of any.</exception>
    public void Attach(string namespacePath)
    {
        using var pod = OpenPod();
        if (NetworkPlan.TryRead(pod) is not { } plan)
        {
            return;
        }

        var results = Attach(pod, plan, namespacePath);
        held = NeedsNamespace(plan) ? Files.Open(namespacePath, OpenFlags.ReadOnly) : null;
        if (resolver && results.Select(result => result.Dns).FirstOrDefault(dns => dns.Nameservers.Count > 0) is { } names)
        {
            foreach (var app in apps)
            {
                WriteResolver(app, names);
            }
        }
    }

    static IReadOnlyList<NetworkResult> Attach(FileDescriptor pod, NetworkPlan plan, string namespacePath)
    {
        try
        {
            return new NetworkAttacher(pod, plan).Attach(namespacePath);
        }
        catch (NetworkException) when (NetworkPlan.TryRead(pod) is null)
        {
            NetworkState.Forget(plan.ContainerId);
            throw;
        }
    }

    /// <summary>Detaches a pod that has ended.</summary>
    /// <returns>What failed, and stays written down for <c>gc</c>; null where nothing did.</returns>
    public string? Detach()
    {
        using (held)
        {
            return Detach(held is null ? null : $"/proc/{Environment.ProcessId}/fd/{held.Number}");
        }
    }

    /// <summary>Detaches a pod that has died, as far as it is still attached; may be done again.</summary>
    /// <returns>As <see cref="Detach()"/>.</returns>
    public static string? Collect() => Detach(null);

    static string? Detach(string? namespacePath)
    {
        try
        {
            using var pod = OpenPod();
            Detach(pod, namespacePath);
            return null;
        }
        catch (Exception problem) when (problem is NetworkException or KernelException or SpecException)
        {
            return problem.Message;
        }
    }

    /// <param name="pod">The directory of a pod that has ended, if it has a plan.</param>
    /// <param name="namespacePath">Null where the namespace is gone.</param>
    /// <exception cref="NetworkException">Something failed, and stays written down for another time; all the rest was done.</exception>
    public static void Detach(FileDescriptor pod, string? namespacePath)
    {
        if (NetworkPlan.TryRead(pod) is { } plan)
        {
            new NetworkAttacher(pod, plan).Detach(namespacePath);
            NetworkState.Forget(plan.ContainerId);
        }
    }

    static FileDescriptor OpenPod() => Files.Open(".", OpenFlags.ReadOnly | OpenFlags.Directory);

    /// <summary>
    /// Some programs look only inside the namespace for what they have to remove outside. Where there are none, the kernel takes the devices apart as soon as
    /// the last process has ended, and nobody waits for it.
    /// </summary>
    static bool NeedsNamespace(NetworkPlan plan)
    {
        var plugins = new NetworkPlugins(plan.PluginPath);
        bool IsProgram(PluginConfiguration plugin) => plugins.Find(plugin.Type, plugin.Json).Program is not null
            || (plugin.IpamType is { } type && plugins.Find(type, plugin.Json).Program is not null);
        return plan.Attachments.Any(attachment => attachment.Network.Plugins.Any(IsProgram));
    }

    /// <summary>
    /// As rkt has it: what a network says of names counts more than what the image says. An image may have anything at that place, a device of the machine
    /// among it: only a file is opened, and only what was looked at.
    /// </summary>
    static void WriteResolver(string app, NetworkDns names)
    {
        const string Name = "resolv.conf";
        using var rootfs = Files.Open($"stage1/rootfs/opt/stage2/{app}/rootfs", OpenFlags.Path | OpenFlags.Directory);
        using var etc = Files.TryOpen(rootfs, "etc", OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow, out _);
        if (etc is null)
        {
            return;
        }

        using var made = Files.TryOpen(etc, Name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, out _, 0x1A4);
        using var found = made is null ? Files.TryOpen(etc, Name, OpenFlags.Path | OpenFlags.NoFollow, out _) : null;
        using var old = found is not null && Files.Status(found).Kind == FileKind.Regular ? Files.Reopen(found, OpenFlags.WriteOnly | OpenFlags.Truncate) : null;
        if ((made ?? old) is { } file)
        {
            Files.Write(file, Encoding.UTF8.GetBytes(names.ToResolverFile()));
        }
    }
}
