using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>attach</c>: connects this terminal, or what else our standard streams are, to the streams of an app that runs.</summary>
static class AttachCommand
{
    static readonly string[] Streams = ["stdin", "stdout", "stderr", "tty-in", "tty-out"];

    static readonly Option Mode = new("mode", "auto|list|tty|STREAM,…", "all that is open (auto), the names of what is (list), or some of stdin, stdout, stderr, tty-in, tty-out; tty is both of its ways");

    public static readonly Command Definition = new(
        "attach", "[--app=NAME] [--mode=MODE] UUID", "connect to the streams of an app that runs", [RunningPod.App, Mode, PodArguments.UuidFile], Run)
    {
        Description = "An app's output can always be attached to unless it is interactive or null; its input where the app was run with --stdin=stream or --stdin=tty.\nAt a terminal, Ctrl-P Ctrl-Q leaves the app running.",
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        var mode = invocation.Value(Mode) ?? "auto";
        var streams = mode is "auto" or "list" ? [] : mode == "tty" ? ["tty-in", "tty-out"] : mode.Split(',');
        if (streams.FirstOrDefault(stream => !Streams.Contains(stream)) is { } unknown)
        {
            throw new UserException($"--mode={mode}: '{unknown}' is not auto, list, tty or one of {string.Join(", ", Streams)}");
        }

        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = RunningPod.Find(invocation, pods);
        var app = RunningPod.AppOf(invocation, found.Pod);
        if (mode == "list")
        {
            PodAttach.List(found.Pod, app);
        }

        PodAttach.Attach(found.Pod, app, streams);
        return 0;
    }
}
