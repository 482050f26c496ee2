using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>How a launch lies in the file that the runner gets: this header, then plans one after another.</summary>
/// <remarks>The runner is compiled from this file too: see Nacelle.Runner.</remarks>
static class LaunchLayout
{
    public const int HeaderSize = 104, CloneArgumentsSize = 88;

    [StructLayout(LayoutKind.Sequential, Size = HeaderSize)]
    public struct Header
    {
        public int PlanCount;

        /// <summary>How many of the plans the runner itself carries out, before it makes the process for the others.</summary>
        public int OuterCount;

        /// <summary>That process, or a negative errno; written by the runner.</summary>
        public int Child;

        public CloneArguments CloneArguments;
    }

    /// <summary>struct clone_args of clone3(2) as of Linux 5.7.</summary>
    [StructLayout(LayoutKind.Sequential, Size = CloneArgumentsSize)]
    public struct CloneArguments
    {
        public ulong Flags, PidDescriptor, ChildId, ParentId, ExitSignal, Stack, StackSize, ThreadArea, SetIds, SetIdCount;

        /// <summary>With CLONE_INTO_CGROUP, a descriptor; otherwise 0.</summary>
        public ulong Cgroup;
    }
}
