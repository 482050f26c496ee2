using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Where a hook runs.</summary>
public abstract record HookPlace
{
    /// <summary>In the runtime's own namespaces.</summary>
    public sealed record Runtime : HookPlace;

    /// <summary>In the namespaces of a container whose root is not entered yet: paths are the host's.</summary>
    /// <param name="Process">The container's process.</param>
    public sealed record Namespaces(FileDescriptor Process) : HookPlace;

    /// <summary>In the container, under every restriction that its own process has.</summary>
    public sealed record Container(FileDescriptor Process, RuntimeConfig Config, JoinSetting Setting, IReadOnlyList<FileDescriptor> Cgroups) : HookPlace;
}

/// <summary>Runs the programs that config.json names for the turns of a container's life.</summary>
/// <remarks>OCI runtime specification 1.3.0, config.md, "POSIX-platform Hooks".</remarks>
public static class ContainerHooks
{
    /// <summary>Runs hooks in their order, each with the state on its standard input, until one fails.</summary>
    /// <param name="kind">As config.json calls them: <c>createRuntime</c>.</param>
    /// <param name="state">What they read: see <see cref="RuntimeState.ToJson"/>.</param>
    /// <exception cref="HookException">A hook ended with another code than 0, took longer than its time-out, or could not be run.</exception>
    public static void Run(IReadOnlyList<RuntimeHook> hooks, string kind, byte[] state, HookPlace place)
    {
        for (int i = 0; i < hooks.Count; i++)
        {
            var name = $"hook {kind}[{i}] ({hooks[i].Path})";
            try
            {
                Run(hooks[i], name, state, place);
            }
            catch (KernelException problem)
            {
                throw new HookException($"{name}: {problem.Message}");
            }
        }
    }

    static void Run(RuntimeHook hook, string name, byte[] state, HookPlace place)
    {
        using var input = Files.CreateInMemory("state");
        Files.Write(input, state);
        Files.Seek(input, 0, SeekOrigin.Begin);
        var process = Start(hook, input, place);
        using var handle = Processes.TryOpen(process.Id);
        PollEntry[] ended = [new PollEntry { Number = handle?.Number ?? -1, Wanted = PollEvents.Readable }];
        if (handle is not null && Polling.Wait(ended, hook.Timeout is { } seconds ? (int)Math.Min(seconds * 1000L, int.MaxValue) : -1) == 0)
        {
            Processes.Kill(handle, Signal.Kill);
            process.Wait();
            throw new HookException($"{name} took longer than {hook.Timeout} seconds and was killed");
        }

        if (process.Wait() is { ShellCode: not 0 } status)
        {
            throw new HookException($"{name} ended with {(status.Signal != 0 ? $"signal {status.Signal}" : $"code {status.ExitCode}")}");
        }
    }

    static Process Start(RuntimeHook hook, FileDescriptor input, HookPlace place)
    {
        IReadOnlyList<string> arguments = hook.Args.Count > 0 ? hook.Args : [hook.Path];
        if (place is HookPlace.Container inside)
        {
            var process = inside.Config.Process! with { Args = arguments, Env = hook.Env, Terminal = false };
            var setting = inside.Setting with { Program = hook.Path, Input = input };
            return StartInside(inside.Process, inside.Cgroups, setting, ContainerJoin.Process(process, inside.Config.Linux?.Seccomp, setting));
        }

        var plan = new LaunchPlan();
        plan.Call("connect the state", SystemCall.dup3, plan.StandardInput, 0, 0);
        plan.Call("unblock signals", SystemCall.rt_sigprocmask, 2, plan.Bytes(stackalloc byte[8]), 0, 8);
        plan.Call($"exec {hook.Path}", SystemCall.execve, plan.Text(hook.Path), plan.TextArray(arguments), plan.TextArray(hook.Env));
        if (place is HookPlace.Namespaces joined)
        {
            return StartInside(joined.Process, [], new JoinSetting { Input = input }, plan);
        }

        var image = new PlanImage(plan);
        image.SetStandard(0, input);
        return Launcher.Start(image);
    }

    static Process StartInside(FileDescriptor target, IReadOnlyList<FileDescriptor> cgroups, JoinSetting setting, LaunchPlan plan)
    {
        var inner = new PlanImage(plan);
        inner.SetStandard(0, setting.Input!);
        return Launcher.StartInside(new PlanImage(ContainerJoin.Namespaces(target, cgroups, setting)), inner);
    }
}

/// <summary>A hook failed; the message says which and how.</summary>
public sealed class HookException(string message) : Exception(message);
