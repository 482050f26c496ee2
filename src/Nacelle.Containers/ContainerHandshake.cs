using Nacelle.Linux;

namespace Nacelle.Containers;

/// <summary>How a container's process and its maker wait for each other, over a socket that keeps message boundaries.</summary>
/// <remarks>
/// The maker speaks first: the process does nothing before it is told that its user namespace has maps. When the maker is gone, the socket ends and so does the process.
/// </remarks>
/// <param name="Socket">The process's side.</param>
/// <param name="Start">A pipe on which the process, once ready, waits for its start; null when it starts as soon as its maker has heard that it is ready.</param>
public sealed record ContainerHandshake(FileDescriptor Socket, FileDescriptor? Start)
{
    /// <summary>What the process says: its mounts are there, and its root is not yet entered.</summary>
    public const byte Mounted = (byte)'m';

    /// <summary>What the process says: only the start is missing.</summary>
    public const byte Ready = (byte)'r';

    /// <summary>What the process says beside a seccomp listener that it hands over.</summary>
    public const byte Listener = (byte)'l';

    /// <summary>What the process has to keep open to the end.</summary>
    internal IEnumerable<int> Numbers => Start is null ? [Socket.Number] : [Socket.Number, Start.Number];

    internal void Begin(LaunchPlan plan)
    {
        WaitForMaker(plan, "wait for the container's maker");
        const int PR_SET_DUMPABLE = 4;
        plan.Call("keep others out", SystemCall.prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    }

    internal void WaitForMaker(LaunchPlan plan, string operation) =>
        plan.Call(operation, SystemCall.read, plan.Descriptor(Socket), LaunchPlan.AddressOf(plan.NewCell()), 1).AtLeast(1);

    internal void Say(LaunchPlan plan, byte word, string operation)
    {
        plan.Call(operation, SystemCall.write, plan.Descriptor(Socket), plan.Bytes([word]), 1);
        WaitForMaker(plan, operation);
    }

    internal void WaitForStart(LaunchPlan plan)
    {
        if (Start is not null)
        {
            plan.Call("wait for the start", SystemCall.read, plan.Descriptor(Start), LaunchPlan.AddressOf(plan.NewCell()), 1).AtLeast(1);
        }
    }
}
