using Nacelle.Containers;
using Nacelle.Linux;

namespace Nacelle.Flavors;

/// <summary>The flavor <c>fly</c>'s <c>enter</c>: a command in the app's chroot, as the app's user and in its environment.</summary>
static class FlyEnter
{
    public static int Enter(string[] arguments)
    {
        var (app, command) = EnterArguments.Parse(arguments);
        var config = PodDirectory.ReadBundle(app);
        throw Processes.Execute(ChrootPlan.Build(config with { Process = config.Process! with { Args = command } }, $"{PodDirectory.Bundle(app)}/rootfs", [], null));
    }
}
