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
        var state = container.State(RuntimeStatus.Stopped);
        RemoveGroup(container);
        if (hasConfig && container.Config.Linux?.IntelRdt is not null)
        {
            ResourceDirector.For(container.Config, container.Id)?.Remove();
        }

        container.Directory.Remove();

        RunHooks(globals, hooks, state);
    }

    /// <summary>Runs poststop hooks; one that fails is a warning, and the others run all the same (runtime.md, "Lifecycle", step 13).</summary>
    public static void RunHooks(GlobalOptions globals, IReadOnlyList<RuntimeHook> hooks, RuntimeState state)
    {
        foreach (var hook in hooks)
        {
            try
            {
                ContainerHooks.Run([hook], "poststop", state.ToJson(), new HookPlace.Runtime());
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
            if (container.Record.Unit is { } unit)
            {
                ContainerUnit.Stop(unit);
            }

            if (container.Record.CgroupsMade > 0)
            {
                group.Remove(emptyParents: container.Record.CgroupsMade - 1);
            }
        }
    }
}
