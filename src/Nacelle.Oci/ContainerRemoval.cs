using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>Undoes what creating made, then runs the hooks for that.</summary>
static class ContainerRemoval
{
    /// <param name="container">Locked; its process has ended.</param>
    public static void Remove(GlobalOptions globals, Container container)
    {
        bool hasConfig = Files.Exists(container.Directory.Descriptor, Container.ConfigFile);
        var hooks = hasConfig ? container.Config.Hooks?.Poststop ?? [] : [];
        var state = hooks.Count > 0 ? container.State(RuntimeStatus.Stopped).ToJson() : [];
        RemoveGroup(container);
        if (hasConfig && container.Config.Linux?.IntelRdt is not null)
        {
            ResourceDirector.For(container.Config, container.Id)?.Remove();
        }

        container.Directory.Remove();

        // runtime.md, "Lifecycle", step 13: one that fails is a warning, and the others run all the same.
        foreach (var hook in hooks)
        {
            try
            {
                ContainerHooks.Run([hook], "poststop", state, new HookPlace.Runtime());
            }
            catch (HookException problem)
            {
                Log.Warning(globals, problem.Message);
            }
        }
    }

    /// <summary>What still runs in the group ran in the container: without a PID namespace of its own nothing else ends it.</summary>
    static void RemoveGroup(Container container)
    {
        using var group = container.OpenCgroup();
        if (group is not null)
        {
            group.Kill();
            if (container.Record.CgroupsMade > 0)
            {
                group.Remove(emptyParents: container.Record.CgroupsMade - 1);
            }
        }
    }
}
