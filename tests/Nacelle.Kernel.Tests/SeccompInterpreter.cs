using System.Buffers.Binary;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>A system call as a filter sees it: struct seccomp_data.</summary>
readonly record struct SeenCall(uint Number, uint Architecture, ulong[] Arguments);

/// <summary>Runs classic BPF, as far as seccomp filters are made of it here, and checks what the kernel's own checker would.</summary>
static class SeccompInterpreter
{
    /// <returns>What the filter returns, and after how many instructions.</returns>
    public static (uint Result, int Steps) Run(SeccompFilter filter, SeenCall call)
    {
        var data = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(data, call.Number);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), call.Architecture);
        for (int i = 0; i < 6; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(16 + (8 * i)), call.Arguments[i]);
        }

        uint accumulator = 0;
        for (int at = 0, steps = 1; ; at++, steps++)
        {
            var instruction = filter.Program.AsSpan(at * 8, 8);
            uint operand = BinaryPrimitives.ReadUInt32LittleEndian(instruction[4..]);
            ushort code = BinaryPrimitives.ReadUInt16LittleEndian(instruction);
            bool? taken = null;
            switch (code)
            {
                case 0x20: accumulator = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan((int)operand)); break;
                case 0x54: accumulator &= operand; break;
                case 0x05: at += (int)operand; break;
                case 0x06: return (operand, steps);
                case 0x15: taken = accumulator == operand; break;
                case 0x25: taken = accumulator > operand; break;
                case 0x35: taken = accumulator >= operand; break;
                default: Assert.Fail($"unknown instruction {code:x4}"); break;
            }

            if (taken is { } jump)
            {
                at += jump ? instruction[2] : instruction[3];
            }
        }
    }
}
