using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What a pod's own isolators come to: limits on all its apps together, kernel parameters of its namespaces, the label of apps that have none.</summary>
/// <remarks>appc 0.8.11, spec/ace.md, "Isolators", those of scope pod.</remarks>
sealed record PodLimits
{
    /// <summary>In the pod's directory, for stage1: what its control group allows, as resources of the OCI runtime specification.</summary>
    const string FileName = "resources";

    public ResourceLimits Resources { get; } = new();

    public IReadOnlyDictionary<string, string> Parameters { get; private set; } = new Dictionary<string, string>();

    public string? SelinuxLabel { get; private set; }

    /// <exception cref="SpecException">An isolator is not understood, given twice, or cannot be enforced for a pod.</exception>
    public static PodLimits Read(PodManifest manifest)
    {
        var limits = new PodLimits();
        Isolators.ForEach(manifest.Isolators, "isolators", limits.Take);
        return limits;
    }

    bool Take(Isolator isolator, string at)
    {
        switch (isolator.Name)
        {
            case "os/linux/selinux-context":
                SelinuxLabel = Isolators.SelinuxLabelOf(isolator.Value);
                return true;
            case "os/unix/sysctl":
                var parameters = new SortedDictionary<string, string>(StringComparer.Ordinal);
                foreach (var one in isolator.Value.EnumerateObject())
                {
                    var path = RuntimeSysctl.PathOf(one.Name) ?? throw new SpecException(at, $"'{one.Name}' is not a parameter's name such as net.ipv4.ip_forward");
                    parameters[one.Name] = RuntimeSysctl.NamespaceOf(path) is "ipc" or "uts" or "network" ? one.Value.GetString() ?? throw new FormatException()
                        : throw new SpecException(at, $"{one.Name} would change the host: no namespace of a pod has it for itself");
                }

                Parameters = parameters;
                return true;
            default:
                return Resources.TryTake(isolator, at);
        }
    }

    /// <exception cref="PodException">A parameter would be the host's.</exception>
    /// <param name="network">The pod has a network namespace of its own.</param>
    /// <param name="ipc">The pod has an IPC namespace of its own.</param>
    public void RequireOwn(bool network, bool ipc)
    {
        foreach (var name in Parameters.Keys)
        {
            switch (RuntimeSysctl.NamespaceOf(RuntimeSysctl.PathOf(name)!))
            {
                case "network" when !network:
                    throw new PodException($"{name} would change the host, whose network the pod is to share (--net=host)");
                case "ipc" when !ipc:
                    throw new PodException($"{name} would change the host, whose IPC namespace the pod is to share (--ipc=parent)");
            }
        }
    }

    /// <summary>Leaves for stage1 what it has to set for the pod as a whole.</summary>
    public void Write(FileDescriptor pod)
    {
        if (!Resources.IsEmpty)
        {
            Files.WriteAll(pod, FileName, Resources.ToRuntime().ToJson());
        }
    }
}
