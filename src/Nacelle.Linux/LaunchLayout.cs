using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>How a launch lies in the file that the runner gets: this header, then plans one after another.</summary>
/// <remarks>The runner is compiled from this file too: see Nacelle.Runner.</remarks>
static class LaunchLayout
{
    public const int HeaderSize = 120, CloneArgumentsSize = 88;

    [StructLayout(LayoutKind.Sequential, Size = HeaderSize)]
    public struct Header
    {
        public int PlanCount;

        /// <summary>How many of the plans the runner itself carries out, before it makes the process for the others.</summary>
        public int OuterCount;

        /// <summary>That process, or a negative errno; written by the runner.</summary>
        public int Child;

        /// <summary>Whether the runner that carries out the outer plans is itself to be born in the control group, so that the process proper need not have it open.</summary>
        public int MakerIsBornThere;

        /// <summary>That runner, or a negative errno; written by the runner that makes it and ends.</summary>
        public int Maker;

        /// <summary>Of clone(2), for that process.</summary>
        public ulong Flags;

        /// <summary>For births in a control group; the runner fills in the flags.</summary>
        public CloneArguments CloneArguments;
    }

    /// <summary>struct clone_args of clone3(2) as of Linux 5.7.</summary>
    [StructLayout(LayoutKind.Sequential, Size = CloneArgumentsSize)]
    public struct CloneArguments
    {
        public ulong Flags, PidDescriptor, ChildId, ParentId, ExitSignal, Stack, StackSize, ThreadArea, SetIds, SetIdCount;

        /// <summary>A descriptor of the control group; 0 where the process is born in its maker's.</summary>
        public ulong Cgroup;
    }
}
