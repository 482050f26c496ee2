namespace Nacelle.Pods;

/// <summary>A pod's state: the directory it lies in, and whether somebody holds its lock.</summary>
/// <remarks>The states of rkt's pod life cycle (Documentation/devel/pod-lifecycle.md of rkt).</remarks>
public enum PodState
{
    Embryo,
    Preparing,
    AbortedPrepare,
    Prepared,
    Running,
    Exited,
    ExitedGarbage,
    ExitedDeleting,
    Garbage,
    Deleting,
}

/// <summary>The directories below <c>pods/</c>. A pod moves from one to the next by a single rename.</summary>
public enum PodPlace
{
    Embryo,
    Prepare,
    Prepared,
    Run,
    ExitedGarbage,
    Garbage,
}

public static class PodStates
{
    public static readonly PodPlace[] Places = [PodPlace.Embryo, PodPlace.Prepare, PodPlace.Prepared, PodPlace.Run, PodPlace.ExitedGarbage, PodPlace.Garbage];

    public static string DirectoryName(this PodPlace place) => place switch
    {
        PodPlace.Embryo => "embryo",
        PodPlace.Prepare => "prepare",
        PodPlace.Prepared => "prepared",
        PodPlace.Run => "run",
        PodPlace.ExitedGarbage => "exited-garbage",
        _ => "garbage",
    };

    public static PodState StateOf(PodPlace place, bool locked) => (place, locked) switch
    {
        (PodPlace.Embryo, _) => PodState.Embryo,
        (PodPlace.Prepare, true) => PodState.Preparing,
        (PodPlace.Prepare, false) => PodState.AbortedPrepare,
        (PodPlace.Prepared, _) => PodState.Prepared,
        (PodPlace.Run, true) => PodState.Running,
        (PodPlace.Run, false) => PodState.Exited,
        (PodPlace.ExitedGarbage, false) => PodState.ExitedGarbage,
        (PodPlace.ExitedGarbage, true) => PodState.ExitedDeleting,
        (_, false) => PodState.Garbage,
        (_, true) => PodState.Deleting,
    };

    /// <summary>As rkt's <c>list</c> and <c>status</c> print it.</summary>
    public static string Name(this PodState state) => state switch
    {
        PodState.Embryo => "embryo",
        PodState.Preparing => "preparing",
        PodState.AbortedPrepare => "aborted prepare",
        PodState.Prepared => "prepared",
        PodState.Running => "running",
        PodState.Exited => "exited",
        PodState.ExitedGarbage => "exited garbage",
        PodState.ExitedDeleting => "exited deleting",
        PodState.Garbage => "garbage",
        _ => "deleting",
    };
}
