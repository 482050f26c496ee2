using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>The few commands of bpf(2) that device access in cgroup v2 takes.</summary>
static unsafe partial class Bpf
{
    const int BPF_PROG_LOAD = 5, BPF_PROG_ATTACH = 8, BPF_PROG_DETACH = 9, BPF_PROG_GET_FD_BY_ID = 13, BPF_PROG_QUERY = 16;
    const uint BPF_PROG_TYPE_CGROUP_DEVICE = 15, BPF_CGROUP_DEVICE = 6, BPF_F_ALLOW_MULTI = 2, BPF_F_REPLACE = 4;

    /// <exception cref="KernelException">EPERM: takes CAP_BPF or CAP_SYS_ADMIN; EINVAL: refused by the verifier.</exception>
    public static FileDescriptor LoadDeviceProgram(ReadOnlySpan<byte> program)
    {
        // SAFETY: both spans are pinned for the call, which reads insn_cnt instructions of eight bytes and a null-terminated licence.
        fixed (byte* instructions = program, licence = "Apache-2.0\0"u8)
        {
            var attributes = new LoadAttributes
            {
                Type = BPF_PROG_TYPE_CGROUP_DEVICE,
                InstructionCount = (uint)program.Length / 8,
                Instructions = (ulong)instructions,
                Licence = (ulong)licence,
            };
            return new FileDescriptor(Check(bpf(SystemCall.bpf, BPF_PROG_LOAD, &attributes, sizeof(LoadAttributes)), "load a device program"), "device program");
        }
    }

    /// <summary>Attaches a program to a group, beside others (ALLOW_MULTI) or in the place of one.</summary>
    public static void AttachDeviceProgram(FileDescriptor group, FileDescriptor program, FileDescriptor? replaced)
    {
        var attributes = new AttachAttributes
        {
            Group = (uint)group.Number,
            Program = (uint)program.Number,
            Type = BPF_CGROUP_DEVICE,
            Flags = BPF_F_ALLOW_MULTI | (replaced is null ? 0 : BPF_F_REPLACE),
            Replaced = (uint)(replaced?.Number ?? 0),
        };
        // SAFETY: the structure lives on this stack frame, and its size is passed beside it.
        Check(bpf(SystemCall.bpf, BPF_PROG_ATTACH, &attributes, sizeof(AttachAttributes)), $"attach a device program to {group}");
    }

    public static void DetachDeviceProgram(FileDescriptor group, FileDescriptor program)
    {
        var attributes = new AttachAttributes { Group = (uint)group.Number, Program = (uint)program.Number, Type = BPF_CGROUP_DEVICE };
        // SAFETY: as above.
        Check(bpf(SystemCall.bpf, BPF_PROG_DETACH, &attributes, sizeof(AttachAttributes)), $"detach a device program from {group}");
    }

    /// <summary>The programs attached to this group itself, by id.</summary>
    public static IReadOnlyList<uint> QueryDevicePrograms(FileDescriptor group)
    {
        const int Most = 64; // BPF_CGROUP_MAX_PROGS
        uint* ids = stackalloc uint[Most];
        var attributes = new QueryAttributes { Group = (uint)group.Number, Type = BPF_CGROUP_DEVICE, Ids = (ulong)ids, Count = Most };
        // SAFETY: the kernel writes at most Count ids, which is what was allocated, and then how many there were.
        Check(bpf(SystemCall.bpf, BPF_PROG_QUERY, &attributes, sizeof(QueryAttributes)), $"list the device programs of {group}");
        return new ReadOnlySpan<uint>(ids, (int)attributes.Count).ToArray();
    }

    public static FileDescriptor OpenProgram(uint id)
    {
        ulong* attributes = stackalloc ulong[2] { id, 0 };
        // SAFETY: the first 32 bits are the id, the rest zero; 16 bytes are passed.
        return new FileDescriptor(Check(bpf(SystemCall.bpf, BPF_PROG_GET_FD_BY_ID, attributes, 16), $"open BPF program {id}"), $"BPF program {id}");
    }

    static int Check(nint result, string operation) => (int)Call.Check(result, operation, "");

    // union bpf_attr, linux/bpf.h. Every descriptor that bpf(2) returns is close-on-exec.
    struct LoadAttributes
    {
        public uint Type, InstructionCount;
        public ulong Instructions, Licence;
        public uint LogLevel, LogSize;
        public ulong LogBuffer;
        public uint KernelVersion, Flags;
    }

    struct AttachAttributes
    {
        public uint Group, Program, Type, Flags, Replaced;
    }

    struct QueryAttributes
    {
        public uint Group, Type, QueryFlags, AttachFlags;
        public ulong Ids;
        public uint Count, Padding;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint bpf(nint number, nint command, void* attributes, nint size);
}
