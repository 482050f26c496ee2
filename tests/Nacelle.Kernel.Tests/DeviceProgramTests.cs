using System.Buffers.Binary;
using CsCheck;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>The programs for version 2, run by an interpreter and held against the rules as they read.</summary>
public class DeviceProgramTests
{
    static readonly Gen<uint?> GenNumber = Gen.Select(Gen.Bool, Choice.Of(0u, 1u, 5u, 0x80000000u, 0xFFFFFFFFu), (any, number) => any ? (uint?)null : number);

    static readonly Gen<DeviceRule> GenRule =
        from allow in Gen.Bool
        from kind in Gen.Enum<DeviceKind>()
        from major in GenNumber
        from minor in GenNumber
        from access in Gen.Int[1, 7]
        select new DeviceRule(allow, kind, major, minor, (DeviceAccess)access);

    [Fact]
    public void A_program_decides_as_the_rules_do() =>
        Gen.Select(
            GenRule.Array[0, 12], Choice.Of(DeviceKind.Block, DeviceKind.Character), Choice.Of(0u, 1u, 5u, 0x80000000u, 0xFFFFFFFFu),
            Choice.Of(0u, 1u, 5u, 0x80000000u, 0xFFFFFFFFu), Gen.Int[1, 7])
            .Sample((rules, kind, major, minor, access) =>
                Assert.Equal(Allowed(rules, kind, major, minor, (DeviceAccess)access), Run(DeviceProgram.Compile(rules), kind, major, minor, (DeviceAccess)access)));

    /// <summary>For each access wanted, the last rule that speaks of it decides; where none does, it is denied.</summary>
    static bool Allowed(DeviceRule[] rules, DeviceKind kind, uint major, uint minor, DeviceAccess wanted) =>
        new[] { DeviceAccess.MakeNode, DeviceAccess.Read, DeviceAccess.Write }
            .Where(access => (wanted & access) != 0)
            .All(access => rules.LastOrDefault(rule => rule.Covers(kind, major, minor) && (rule.Access & access) != 0).Allow);

    static bool Run(byte[] program, DeviceKind kind, uint major, uint minor, DeviceAccess access)
    {
        var context = new uint[] { (uint)kind | ((uint)access << 16), major, minor };
        var registers = new ulong[11];
        for (int at = 0; ; at++)
        {
            var instruction = program.AsSpan(at * 8, 8);
            int target = instruction[1] & 15, source = instruction[1] >> 4;
            short offset = BinaryPrimitives.ReadInt16LittleEndian(instruction[2..]);
            int immediate = BinaryPrimitives.ReadInt32LittleEndian(instruction[4..]);
            switch (instruction[0])
            {
                case 0x61: registers[target] = context[offset / 4]; break;
                case 0x54: registers[target] = (uint)registers[target] & (uint)immediate; break;
                case 0x74: registers[target] = (uint)registers[target] >> immediate; break;
                case 0xb4: registers[target] = (uint)immediate; break;
                case 0xbc: registers[target] = (uint)registers[source]; break;
                case 0x15: at += registers[target] == (ulong)immediate ? offset : 0; break;
                case 0x55: at += registers[target] != (ulong)immediate ? offset : 0; break;
                case 0x56: at += (uint)registers[target] != (uint)immediate ? offset : 0; break;
                case 0x95: return registers[0] != 0;
                default: Assert.Fail($"unknown instruction {instruction[0]:x2}"); break;
            }
        }
    }
}
