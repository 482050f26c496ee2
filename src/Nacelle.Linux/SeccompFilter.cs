using System.Buffers.Binary;

namespace Nacelle.Linux;

/// <summary>A compiled profile, ready to be loaded by seccomp(2).</summary>
/// <param name="Program">An array of <c>struct sock_filter</c>, eight bytes each in the machine's order.</param>
/// <param name="Flags">To be passed with it; <see cref="SeccompFlags.NewListener"/> is added where a rule notifies.</param>
/// <param name="UnknownNames">Names in the profile that no architecture has a call of; they had no effect.</param>
public sealed record SeccompFilter(byte[] Program, SeccompFlags Flags, IReadOnlyList<string> UnknownNames)
{
    /// <summary>The size of one instruction, <c>struct sock_filter</c>.</summary>
    public const int InstructionSize = 8;

    /// <summary>BPF_MAXINSNS: the kernel takes no longer program.</summary>
    public const int MaximumLength = 4096;

    public int Length => Program.Length / InstructionSize;

    /// <summary>Compiles a profile for this machine.</summary>
    /// <exception cref="ArgumentException">The profile asks for what no filter can do, or is too long; the message says which.</exception>
    public static SeccompFilter Compile(SeccompProfile profile) => Compile(profile, Native);

    /// <summary>Compiles a profile for a machine of this architecture, which counts as part of the profile.</summary>
    /// <exception cref="ArgumentException">As above.</exception>
    public static SeccompFilter Compile(SeccompProfile profile, SeccompArchitecture native) => SeccompCompiler.Compile(profile, native);

    /// <summary>The architecture that this program was built for.</summary>
    public static SeccompArchitecture Native { get; } =
        System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64
            ? SeccompArchitecture.Arm64
            : SeccompArchitecture.X64;

    internal static byte[] Encode(List<ClassicInstruction> program)
    {
        var bytes = new byte[program.Count * InstructionSize];
        for (int i = 0; i < program.Count; i++)
        {
            var at = bytes.AsSpan(i * InstructionSize);
            BinaryPrimitives.WriteUInt16LittleEndian(at, program[i].Code);
            at[2] = program[i].IfTrue;
            at[3] = program[i].IfFalse;
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], program[i].Operand);
        }

        return bytes;
    }
}

/// <summary>One instruction of classic BPF: <c>struct sock_filter</c> of linux/filter.h. Jumps count from the next instruction.</summary>
readonly record struct ClassicInstruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand)
{
    const ushort BPF_LD_W_ABS = 0x20, BPF_ALU_AND_K = 0x54, BPF_JMP_JA = 0x05, BPF_RET_K = 0x06;
    public const ushort JumpIfEqual = 0x15, JumpIfGreater = 0x25, JumpIfGreaterOrEqual = 0x35;

    public static ClassicInstruction Load(int offset) => new(BPF_LD_W_ABS, 0, 0, (uint)offset);

    public static ClassicInstruction And(uint mask) => new(BPF_ALU_AND_K, 0, 0, mask);

    public static ClassicInstruction Jump(int distance) => new(BPF_JMP_JA, 0, 0, (uint)distance);

    public static ClassicInstruction Return(uint value) => new(BPF_RET_K, 0, 0, value);
}
