using System.Buffers.Binary;

namespace Nacelle.Linux;

/// <summary>Turns device rules into the eBPF program that decides for a group of version 2. See the kernel's Documentation/admin-guide/cgroup-v2.rst, "Device controller".</summary>
static class DeviceProgram
{
    // struct bpf_cgroup_dev_ctx: u32 access_type (kind in the lower half, access in the upper), u32 major, u32 minor.
    const byte R0 = 0, R1 = 1, Kind = 2, Wanted = 3, Major = 4, Minor = 5;

    const byte LoadWord = 0x61, And = 0x54, ShiftRight = 0x74, Set = 0xb4, SetRegister = 0xbc, JumpIfEqual = 0x15, JumpIfNotEqual = 0x55, Exit = 0x95;

    /// <summary>Compares 32 bits, so that numbers above 2³¹ are not extended by their sign. Linux 5.1.</summary>
    const byte JumpIfNotEqual32 = 0x56;

    /// <returns>An array of <c>struct bpf_insn</c>, eight bytes each.</returns>
    /// <remarks>
    /// The last rule for a device counts, so they are asked from the last to the first. Every access wanted is looked at by itself: an allowing rule takes
    /// what it allows out of what is still wanted, a denying one ends it.
    /// </remarks>
    public static byte[] Compile(IReadOnlyList<DeviceRule> rules)
    {
        var program = new List<ulong>
        {
            Instruction(LoadWord, Kind, R1, 0, 0),
            Instruction(And, Kind, 0, 0, 0xFFFF),
            Instruction(LoadWord, Wanted, R1, 0, 0),
            Instruction(ShiftRight, Wanted, 0, 0, 16),
            Instruction(LoadWord, Major, R1, 4, 0),
            Instruction(LoadWord, Minor, R1, 8, 0),
        };
        for (int i = rules.Count - 1; i >= 0; i--)
        {
            var rule = rules[i];
            if (rule is { Kind: DeviceKind.Any, Major: null, Minor: null, Access: DeviceAccess.All })
            {
                // Nothing before this rule counts, and the kernel takes no program with instructions that are never reached.
                program.AddRange(Answer(rule.Allow));
                return Encode(program);
            }

            AddRule(program, rule);
        }

        program.AddRange(Answer(false));
        return Encode(program);
    }

    static void AddRule(List<ulong> program, DeviceRule rule)
    {
        ulong[] verdict = rule.Allow
            ? [Instruction(And, Wanted, 0, 0, ~(int)rule.Access), Instruction(JumpIfNotEqual, Wanted, 0, 2, 0), .. Answer(true)]
            : [Instruction(SetRegister, R1, Wanted, 0, 0), Instruction(And, R1, 0, 0, (int)rule.Access), Instruction(JumpIfEqual, R1, 0, 2, 0), .. Answer(false)];

        var tests = new List<(byte Register, uint Value)>();
        if (rule.Kind != DeviceKind.Any)
        {
            tests.Add((Kind, (uint)rule.Kind));
        }

        if (rule.Major is { } major)
        {
            tests.Add((Major, major));
        }

        if (rule.Minor is { } minor)
        {
            tests.Add((Minor, minor));
        }

        for (int i = 0; i < tests.Count; i++)
        {
            program.Add(Instruction(JumpIfNotEqual32, tests[i].Register, 0, (short)(tests.Count - 1 - i + verdict.Length), (int)tests[i].Value));
        }

        program.AddRange(verdict);
    }

    static ulong[] Answer(bool allow) => [Instruction(Set, R0, 0, 0, allow ? 1 : 0), Instruction(Exit, 0, 0, 0, 0)];

    /// <summary>struct bpf_insn: code, target and source register in one byte, offset, immediate value; little-endian.</summary>
    static ulong Instruction(byte code, byte target, byte source, short offset, int immediate) =>
        code | ((ulong)(target | (source << 4)) << 8) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)immediate << 32);

    static byte[] Encode(List<ulong> program)
    {
        var bytes = new byte[program.Count * 8];
        for (int i = 0; i < program.Count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * 8), program[i]);
        }

        return bytes;
    }
}
