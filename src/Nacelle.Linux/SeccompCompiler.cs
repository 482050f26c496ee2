namespace Nacelle.Linux;

/// <summary>
/// Turns a profile into classic BPF. A section per architecture; in it a binary search over ranges of call numbers that
/// fare alike, so that a call costs some six comparisons whatever the profile's length.
/// </summary>
/// <remarks>
/// Every block of instructions built here ends in returns and jumps only forward within itself, so blocks are joined
/// by laying them one after the other. Only numbers decide until a rule has conditions: the kernel (5.11 and later) then finds out by itself which
/// calls are always allowed, and runs no filter for them.
/// </remarks>
static class SeccompCompiler
{
    // struct seccomp_data: int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]; see seccomp(2).
    const int CallNumber = 0, Architecture = 4, Arguments = 16;

    /// <summary>Bit 30 of a call's number marks the x32 ABI, which shares the architecture number of x86-64.</summary>
    const uint X32Bit = 0x40000000;

    public static SeccompFilter Compile(SeccompProfile profile, SeccompArchitecture native)
    {
        Check(profile);
        var calls = new SeccompCalls(profile);
        var architectures = profile.Architectures.Contains(native) ? profile.Architectures : [native, .. profile.Architectures];
        var program = new List<ClassicInstruction> { ClassicInstruction.Load(Architecture) };
        foreach (var architecture in architectures.Distinct().OrderByDescending(architecture => architecture == native))
        {
            if (architecture == SeccompArchitecture.X32)
            {
                continue; // stands in the section of x86-64
            }

            var section = new List<ClassicInstruction> { ClassicInstruction.Load(CallNumber) };
            var ranges = calls.Ranges(architecture);
            if (architecture == SeccompArchitecture.X64)
            {
                // Without x32 in the profile its calls are a foreign architecture's. A number of -1 is no call of x32: a tracer puts it there to skip the call.
                ranges = architectures.Contains(SeccompArchitecture.X32)
                    ? [.. ranges, .. calls.Ranges(SeccompArchitecture.X32).Select(range => range with { First = range.First | X32Bit })]
                    : [.. ranges, new CallRange(X32Bit, CallFate.Foreign), new CallRange(uint.MaxValue, calls.DefaultFate)];
            }

            section.AddRange(Search(ranges));
            Branch(program, ClassicInstruction.JumpIfEqual, AuditNumber(architecture), section);
        }

        program.Add(ClassicInstruction.Return((uint)SeccompAction.KillProcess));
        if (program.Count > SeccompFilter.MaximumLength)
        {
            throw new ArgumentException($"the seccomp profile takes {program.Count} instructions; the kernel takes {SeccompFilter.MaximumLength}");
        }

        var flags = profile.Flags | (profile.Rules.Any(rule => rule.Action == SeccompAction.Notify) ? SeccompFlags.NewListener : 0);
        return new SeccompFilter(SeccompFilter.Encode(program), flags, calls.UnknownNames);
    }

    static void Check(SeccompProfile profile)
    {
        if (profile.DefaultAction == SeccompAction.Notify)
        {
            throw new ArgumentException("a seccomp profile cannot notify by default: the program could not even start");
        }

        foreach (var rule in profile.Rules)
        {
            // The listener is handed over by sendmsg or written about by write: whoever waits for these cannot make them.
            if (rule.Action == SeccompAction.Notify && rule.Names.Contains("write"))
            {
                throw new ArgumentException("a seccomp profile cannot notify of 'write'");
            }

            foreach (var condition in rule.Conditions)
            {
                if (condition.Argument is < 0 or > 5)
                {
                    throw new ArgumentException($"seccomp rule for '{rule.Names[0]}': there is no argument {condition.Argument}, only 0 to 5");
                }
            }
        }
    }

    /// <summary>Binary search over ranges in ascending order, the first of which starts at 0; the call's number is loaded.</summary>
    static List<ClassicInstruction> Search(ReadOnlySpan<CallRange> ranges)
    {
        if (ranges.Length == 1)
        {
            return Decide(ranges[0].Fate);
        }

        int middle = ranges.Length / 2;
        var block = new List<ClassicInstruction>();
        var upper = Search(ranges[middle..]);
        Branch(block, ClassicInstruction.JumpIfGreaterOrEqual, ranges[middle].First, upper);
        block.AddRange(Search(ranges[..middle]));
        return block;
    }

    /// <summary>Adds a test, and after it what is done when it holds; when it does not hold, what follows is reached.</summary>
    static void Branch(List<ClassicInstruction> block, ushort jump, uint operand, List<ClassicInstruction> whenTrue)
    {
        if (whenTrue.Count <= byte.MaxValue)
        {
            block.Add(new(jump, 0, (byte)whenTrue.Count, operand));
        }
        else
        {
            block.Add(new(jump, 1, 0, operand)); // conditional jumps reach 255 instructions, the unconditional one any number
            block.Add(ClassicInstruction.Jump(whenTrue.Count));
        }

        block.AddRange(whenTrue);
    }

    static List<ClassicInstruction> Decide(CallFate fate)
    {
        var block = new List<ClassicInstruction>();
        foreach (var (conditions, result) in fate.Alternatives)
        {
            // Every condition jumps over the rest of its alternative when it does not hold.
            var tests = new List<ClassicInstruction>();
            for (int i = conditions.Count - 1; i >= 0; i--)
            {
                tests.InsertRange(0, Test(conditions[i], tests.Count + 1));
            }

            block.AddRange(tests);
            block.Add(ClassicInstruction.Return(result));
        }

        block.Add(ClassicInstruction.Return(fate.Result));
        return block;
    }

    /// <summary>Compares a 64-bit argument in two halves; falls through when the condition holds, else jumps over so many instructions more.</summary>
    static List<ClassicInstruction> Test(SeccompCondition condition, int failure)
    {
        int low = Arguments + (8 * condition.Argument), high = low + 4; // little-endian
        bool masked = condition.Operator == SeccompOperator.MaskedEqual;
        ulong value = masked ? condition.MaskedValue : condition.Value;
        uint valueLow = (uint)value, valueHigh = (uint)(value >> 32);
        byte fail = checked((byte)failure);

        switch (condition.Operator)
        {
            case SeccompOperator.Equal:
                return
                [
                    ClassicInstruction.Load(high),
                    new(ClassicInstruction.JumpIfEqual, 0, (byte)(fail + 2), valueHigh),
                    ClassicInstruction.Load(low),
                    new(ClassicInstruction.JumpIfEqual, 0, fail, valueLow),
                ];
            case SeccompOperator.MaskedEqual:
                return
                [
                    ClassicInstruction.Load(high),
                    ClassicInstruction.And((uint)(condition.Value >> 32)),
                    new(ClassicInstruction.JumpIfEqual, 0, (byte)(fail + 3), valueHigh),
                    ClassicInstruction.Load(low),
                    ClassicInstruction.And((uint)condition.Value),
                    new(ClassicInstruction.JumpIfEqual, 0, fail, valueLow),
                ];
            case SeccompOperator.NotEqual:
                return
                [
                    ClassicInstruction.Load(high),
                    new(ClassicInstruction.JumpIfEqual, 0, 2, valueHigh),
                    ClassicInstruction.Load(low),
                    new(ClassicInstruction.JumpIfEqual, fail, 0, valueLow),
                ];
            case SeccompOperator.Greater or SeccompOperator.GreaterOrEqual:
                return
                [
                    ClassicInstruction.Load(high),
                    new(ClassicInstruction.JumpIfGreater, 3, 0, valueHigh),
                    new(ClassicInstruction.JumpIfEqual, 0, (byte)(fail + 2), valueHigh),
                    ClassicInstruction.Load(low),
                    new(condition.Operator == SeccompOperator.Greater ? ClassicInstruction.JumpIfGreater : ClassicInstruction.JumpIfGreaterOrEqual, 0, fail, valueLow),
                ];
            default: // less is not greater or equal, and less or equal is not greater
                return
                [
                    ClassicInstruction.Load(high),
                    new(ClassicInstruction.JumpIfGreater, (byte)(fail + 3), 0, valueHigh),
                    new(ClassicInstruction.JumpIfEqual, 0, 2, valueHigh),
                    ClassicInstruction.Load(low),
                    new(condition.Operator == SeccompOperator.Less ? ClassicInstruction.JumpIfGreaterOrEqual : ClassicInstruction.JumpIfGreater, fail, 0, valueLow),
                ];
        }
    }

    /// <summary>AUDIT_ARCH_* of linux/audit.h: the ELF machine, with marks for 64 bits and little-endian.</summary>
    public static uint AuditNumber(SeccompArchitecture architecture) => architecture switch
    {
        SeccompArchitecture.X64 or SeccompArchitecture.X32 => 0xC000003E,
        SeccompArchitecture.X86 => 0x40000003,
        SeccompArchitecture.Arm64 => 0xC00000B7,
        SeccompArchitecture.Arm => 0x40000028,
        _ => throw new ArgumentOutOfRangeException(nameof(architecture)),
    };
}
