using Nacelle.CommandLine;
using Nacelle.Linux;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary>The --detach flag: a prepared pod is run by a process of its own, which nobody waits for once the pod is ready.</summary>
/// <remarks>It is a session of its own, without a terminal and without output: what the apps write is in their logs.</remarks>
static class Detachment
{
    public static readonly Option Flag = new("detach", null, "print the pod's UUID when it is ready, and leave it running");

    const int PollMilliseconds = 20;

    /// <exception cref="UserException">The pod is to be interactive.</exception>
    public static bool IsWanted(Invocation invocation) => invocation.Is(Flag) && (!invocation.Is(PodFlags.Interactive) ? true
        : throw new UserException("--detach and --interactive exclude each other: nobody would sit at the terminal"));

    /// <summary>Runs a prepared pod, and returns when it is ready or has ended.</summary>
    /// <param name="pod">Prepared; its lock is given up.</param>
    /// <returns>The exit code: not 0 where the pod could not be run, which it has said itself.</returns>
    public static int Run(Invocation invocation, PodStore pods, Pod pod)
    {
        var uuid = pod.Uuid;
        pod.Dispose();
        var (errors, end) = Files.CreatePipe("errors of the pod");
        using (errors)
        {
            var process = Start(invocation, uuid, end);
            end.Dispose();
            using var ended = Processes.TryOpen(process.Id);
            var text = new byte[4096];
            while (true)
            {
                PollEntry[] entries =
                [
                    new() { Number = errors.Number, Wanted = PollEvents.Readable }, new() { Number = ended?.Number ?? -1, Wanted = PollEvents.Readable },
                ];
                Polling.Wait(entries, PollMilliseconds);
                if ((entries[0].Happened & PollEvents.Readable) != 0 && Files.Read(errors, text) is > 0 and var count)
                {
                    Files.Write(FileDescriptor.StandardError, text.AsSpan(0, count));
                    continue;
                }

                bool over = entries[1].Happened != PollEvents.None;
                if (IsReady(pods, uuid, over))
                {
                    Output.Line(uuid);
                    return 0;
                }

                if (over)
                {
                    return process.Wait().ShellCode is not 0 and var code ? code : CommandProgram.OwnError;
                }
            }
        }
    }

    static Process Start(Invocation invocation, string uuid, FileDescriptor errors)
    {
        var options = PodFlags.Running.Concat(Stage1Selection.Flags).ToList();
        string[] arguments =
        [
            ProgramName.Text, .. GlobalFlags.Repeat(invocation), "run-prepared",
            .. invocation.Tokens.Where(token => token.Option is { } option && options.Contains(option)).Select(token => $"--{token.Option!.Name}={token.Text}"), uuid,
        ];
        using var nothing = Files.Open("/dev/null", OpenFlags.ReadWrite);
        var plan = new LaunchPlan();
        plan.Call("start a session", SystemCall.setsid);
        plan.Call("connect standard input", SystemCall.dup3, plan.Descriptor(nothing), 0, 0);
        plan.Call("connect standard output", SystemCall.dup3, plan.Descriptor(nothing), 1, 0);
        plan.Call("connect standard error", SystemCall.dup3, plan.Descriptor(errors), 2, 0);
        plan.Call("exec nacelle", SystemCall.execve, plan.Text("/proc/self/exe"), plan.TextArray(arguments), plan.TextArray(Processes.Environment()));
        return Launcher.Start(plan);
    }

    /// <param name="over">The pod's process has ended: then it is enough that the pod ran.</param>
    static bool IsReady(PodStore pods, string uuid, bool over)
    {
        try
        {
            using var found = pods.Find(uuid);
            return over ? found.State is PodState.Exited or PodState.ExitedGarbage : found.State == PodState.Running && found.Pod.IsReady;
        }
        catch (PodException)
        {
            return false;
        }
    }
}
