using System.Runtime;
using System.Runtime.CompilerServices;

namespace Nacelle.Linux
{
    /// <summary>The program that a process of a container runs until its own: it takes the launch that its maker has written down, and carries it out.</summary>
    /// <remarks>
    /// It is compiled without the .NET runtime and linked without a C library, so that it starts in a tenth of the time, holds a page or two of memory, and has nothing
    /// inside a container that could be of use there. Nacelle.Linux carries its image and executes it from a sealed file in memory: whoever
    /// gets hold of it through /proc has nothing that anybody else will ever run (CVE-2019-5736).
    /// Arguments: the name that the process shall have, and the descriptor of the launch in decimal.
    /// </remarks>
    static unsafe class Runner
    {
        const int PR_SET_NAME = 15, SEEK_END = 2, ReadAndWrite = 3, MAP_SHARED = 1;
        const ulong CLONE_PARENT = 0x8000, CLONE_INTO_CGROUP = 0x200000000;

        [RuntimeExport("run_launch")]
        static void RunLaunch(byte** stack)
        {
            byte** arguments = stack + 1;
            RawCall.Invoke(Calls.Prctl, PR_SET_NAME, (nint)arguments[0], 0, 0, 0, 0);
            nint file = Number(arguments[1]);
            nint length = RawCall.Invoke(Calls.Seek, file, 0, SEEK_END, 0, 0, 0);
            nint launch = RawCall.Invoke(Calls.Map, 0, length, ReadAndWrite, MAP_SHARED, file, 0);
            RawCall.Invoke(Calls.Close, file, 0, 0, 0, 0, 0);
            if (launch > 0 || launch < -4095)
            {
                Run((byte*)launch);
            }

            RawCall.Invoke(Calls.Exit, 125, 0, 0, 0, 0, 0);
        }

        static void Run(byte* launch)
        {
            var header = (LaunchLayout.Header*)launch;
            if (header->MakerIsBornThere != 0)
            {
                nint maker = Clone(header, CLONE_PARENT);
                if (maker != 0)
                {
                    header->Maker = (int)maker;
                    RawCall.Invoke(Calls.Exit, 0, 0, 0, 0, 0, 0);
                }

                RawCall.Invoke(Calls.Close, (nint)header->CloneArguments.Cgroup, 0, 0, 0, 0, 0);
                header->CloneArguments.Cgroup = 0;
            }

            byte* plan = launch + LaunchLayout.HeaderSize;
            for (int i = 0; i < header->PlanCount; i++)
            {
                if (i == header->OuterCount)
                {
                    nint child = Clone(header, header->Flags);
                    if (child != 0)
                    {
                        header->Child = (int)child;
                        RawCall.Invoke(Calls.Exit, 0, 0, 0, 0, 0, 0);
                    }
                }

                PlanSteps.Relocate(plan);
                if (!PlanSteps.Run(plan))
                {
                    return;
                }

                plan += PlanLayout.Length(*(PlanLayout.Header*)plan);
            }
        }

        static nint Clone(LaunchLayout.Header* header, ulong flags)
        {
            if (header->CloneArguments.Cgroup == 0)
            {
                return RawCall.Invoke(Calls.Clone, (nint)flags, 0, 0, 0, 0, 0);
            }

            header->CloneArguments.Flags = flags | CLONE_INTO_CGROUP;
            return RawCall.Invoke(Calls.Clone3, (nint)(&header->CloneArguments), LaunchLayout.CloneArgumentsSize, 0, 0, 0, 0);
        }

        static nint Number(byte* text)
        {
            nint number = 0;
            for (; *text != 0; text++)
            {
                number = (number * 10) + (*text - (byte)'0');
            }

            return number;
        }

        static int Main() => 0;
    }

    static class RawCall
    {
        [RuntimeImport("kernel_call"), MethodImpl(MethodImplOptions.InternalCall)]
        public static extern nint Invoke(nint number, nint a, nint b, nint c, nint d, nint e, nint f);
    }

    static class Calls
    {
#if ARM64
        public const int Prctl = 167, Seek = 62, Map = 222, Close = 57, Clone = 220, Clone3 = 435, Exit = 94;
#else
        public const int Prctl = 157, Seek = 8, Map = 9, Close = 3, Clone = 56, Clone3 = 435, Exit = 231;
#endif
    }
}
