using System.Diagnostics.CodeAnalysis;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Connects to the streams of apps that run.</summary>
public static class PodAttach
{
    /// <summary>Attaches this process's standard streams to an app's, in the place of this process; returns only by an exception.</summary>
    /// <param name="streams">stdin, stdout, stderr, tty-in and tty-out; empty for all that are open.</param>
    [DoesNotReturn]
    public static void Attach(Pod pod, AppName app, IReadOnlyCollection<string> streams) =>
        Stage1Call.Become(pod, "attach", [streams.Count == 0 ? "--action=auto-attach" : "--action=custom-attach", $"--app={app}", .. streams.Select(stream => $"--{stream}=true")], app);

    /// <summary>Prints the streams of an app that can be attached to, one a line, in the place of this process.</summary>
    [DoesNotReturn]
    public static void List(Pod pod, AppName app) => Stage1Call.Become(pod, "attach", ["--action=list", $"--app={app}"], app);
}
