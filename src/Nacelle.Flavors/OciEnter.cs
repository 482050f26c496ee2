using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>The flavor <c>oci</c>'s <c>enter</c>: has the runtime run a command in an app's container.</summary>
static class OciEnter
{
    public static int Enter(string[] arguments)
    {
        var (app, command) = EnterArguments.Parse(arguments);
        var runtime = OciRuntime.TryRead() ?? throw new FlavorException("the pod was not started by the stage1 oci");
        bool terminal = Terminal.IsTerminal(FileDescriptor.StandardInput) && Terminal.IsTerminal(FileDescriptor.StandardOutput);
        var path = $"{OciRuntime.Directory}/{app}/config.json";
        var config = RuntimeConfig.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, path), path);

        // Described whole, as the app's own process is: of a command alone some runtimes make a process of root's.
        using var process = Files.CreateInMemory("process");
        Files.Write(process, (config.Process! with { Args = command, Terminal = terminal }).ToJson());
        process.Inherited = true;
        throw Processes.Execute(runtime.Program, runtime.Command("exec", "--process", process.ProcPath, app), Processes.Environment());
    }
}
