using CsCheck;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>Compiled filters against a plain reading of the profile.</summary>
public class SeccompCompilerTests
{
    const uint X32Bit = 0x40000000;
    static readonly ulong[] Values = [0, 1, 0xFFFFFFFF, 0x100000000, 0x100000001, 0x7E020000, ulong.MaxValue, ulong.MaxValue - 1];

    static readonly Gen<SeccompCondition> GenCondition =
        from argument in Gen.Int[0, 5]
        from comparison in Gen.Enum<SeccompOperator>()
        from value in Choice.Of(Values)
        from masked in Choice.Of(Values)
        select new SeccompCondition(argument, comparison, value, masked & value);

    static readonly Gen<SeccompAction> GenAction = Choice.Of(SeccompAction.Allow, SeccompAction.Errno, SeccompAction.KillProcess, SeccompAction.Log, SeccompAction.Trap);

    // From few names, so that rules meet.
    static readonly Gen<string> GenName = Gen.OneOf(
        Gen.Int[0, 9].Select(SyscallTable.Name),
        Gen.Int[0, SyscallTable.Count - 1].Select(SyscallTable.Name),
        Gen.Const("no_such_call"));

    static readonly Gen<SeccompRule> GenRule =
        from names in GenName.Array[1, 15]
        from action in GenAction
        from errno in Gen.UInt[1, 40]
        from conditions in Gen.OneOf(Gen.Const(Array.Empty<SeccompCondition>()), GenCondition.Array[1, 3])
        select new SeccompRule(names, action) { Errno = errno, Conditions = conditions };

    static readonly Gen<SeccompProfile> GenProfile =
        from byDefault in GenAction
        from architectures in Choice.Of(SeccompArchitecture.X64, SeccompArchitecture.X86, SeccompArchitecture.X32).Array[0, 3]
        from rules in GenRule.Array[0, 8]
        select new SeccompProfile { DefaultAction = byDefault, Architectures = architectures, Rules = rules };

    static readonly Gen<SeenCall> GenCall =
        from number in Gen.OneOf(Gen.UInt[0, 470], Gen.UInt[0, 600].Select(number => number | X32Bit), Choice.Of(uint.MaxValue, X32Bit - 1))
        from architecture in Choice.Of(0xC000003Eu, 0x40000003u, 0xC00000B7u)
        from arguments in Choice.Of(Values).Array[6]
        select new SeenCall(number, architecture, arguments);

    [Fact]
    public void A_filter_decides_as_its_profile_reads() =>
        GenProfile.Select(GenCall.Array[100]).Sample((profile, calls) =>
        {
            var filter = SeccompFilter.Compile(profile, SeccompArchitecture.X64);
            foreach (var call in calls)
            {
                uint expected = Evaluate(profile, call), actual = SeccompInterpreter.Run(filter, call).Result;
                Assert.True(expected == actual, $"call {call.Number:x} of {call.Architecture:x} ({string.Join(",", call.Arguments.Select(a => $"{a:x}"))}): {actual:x} instead of {expected:x}");
            }
        }, iter: 300);

    [Theory]
    [InlineData(SeccompOperator.NotEqual)]
    [InlineData(SeccompOperator.Less)]
    [InlineData(SeccompOperator.LessOrEqual)]
    [InlineData(SeccompOperator.Equal)]
    [InlineData(SeccompOperator.GreaterOrEqual)]
    [InlineData(SeccompOperator.Greater)]
    [InlineData(SeccompOperator.MaskedEqual)]
    public void Arguments_are_compared_in_all_their_64_bits(SeccompOperator comparison)
    {
        foreach (ulong value in Values)
        {
            var condition = new SeccompCondition(2, comparison, value, value & 0x1_0000_0001);
            var filter = SeccompFilter.Compile(
                new SeccompProfile
                {
                    DefaultAction = SeccompAction.Errno,
                    Rules = [new(["read"], SeccompAction.Allow) { Conditions = [condition] }],
                },
                SeccompArchitecture.X64);
            foreach (ulong argument in Values)
            {
                var call = new SeenCall(0, 0xC000003E, [0, 0, argument, 0, 0, 0]);
                Assert.True(
                    Holds(condition, call) == (SeccompInterpreter.Run(filter, call).Result == (uint)SeccompAction.Allow), $"{argument:x} {comparison} {value:x}");
            }
        }
    }

    [Fact]
    public void Names_that_no_architecture_knows_are_reported()
    {
        var profile = new SeccompProfile { DefaultAction = SeccompAction.Errno, Rules = [new(["read", "redd", "socketcall"], SeccompAction.Allow)] };
        Assert.Equal(["redd"], SeccompFilter.Compile(profile).UnknownNames);
    }

    [Fact]
    public void A_call_later_than_the_profile_gets_ENOSYS_and_an_earlier_one_its_default()
    {
        var filter = SeccompFilter.Compile(
            new SeccompProfile { DefaultAction = SeccompAction.Errno, Rules = [new(["openat2"], SeccompAction.Allow)] }, SeccompArchitecture.X64);
        Assert.Equal((uint)SeccompAction.Errno | (uint)Errno.ENOSYS, SeccompInterpreter.Run(filter, new(438, 0xC000003E, new ulong[6])).Result);
        Assert.Equal((uint)SeccompAction.Errno | (uint)Errno.EPERM, SeccompInterpreter.Run(filter, new(436, 0xC000003E, new ulong[6])).Result);
    }

    [Fact]
    public void A_profile_that_allows_by_default_allows_later_calls_too()
    {
        var filter = SeccompFilter.Compile(
            new SeccompProfile { DefaultAction = SeccompAction.Allow, Rules = [new(["openat2"], SeccompAction.Errno)] }, SeccompArchitecture.X64);
        Assert.Equal((uint)SeccompAction.Allow, SeccompInterpreter.Run(filter, new(500, 0xC000003E, new ulong[6])).Result);
    }

    [Fact]
    public void A_call_of_an_architecture_outside_the_profile_ends_the_process()
    {
        var filter = SeccompFilter.Compile(new SeccompProfile { DefaultAction = SeccompAction.Allow, Architectures = [SeccompArchitecture.X64] }, SeccompArchitecture.X64);
        Assert.Equal((uint)SeccompAction.KillProcess, SeccompInterpreter.Run(filter, new(0, 0x40000003, new ulong[6])).Result);
        Assert.Equal((uint)SeccompAction.KillProcess, SeccompInterpreter.Run(filter, new(X32Bit, 0xC000003E, new ulong[6])).Result);
    }

    [Fact]
    public void A_profile_too_long_for_the_kernel_is_refused()
    {
        var condition = Enumerable.Range(0, 6).Select(i => new SeccompCondition(i, SeccompOperator.MaskedEqual, 1, 1)).ToArray();
        var rules = Enumerable.Range(0, 300).Select(_ => new SeccompRule(["read"], SeccompAction.Allow) { Conditions = condition }).ToArray();
        var failure = Assert.Throws<ArgumentException>(() => SeccompFilter.Compile(new SeccompProfile { DefaultAction = SeccompAction.Errno, Rules = rules }));
        Assert.Contains("4096", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_call_of_the_default_profile_is_decided_in_few_steps()
    {
        var filter = SeccompFilter.Compile(DefaultSeccompProfile.For(CapabilitySet.Default, new Version(6, 1), SeccompArchitecture.X64), SeccompArchitecture.X64);
        int most = Enumerable.Range(0, 470).Max(number => SeccompInterpreter.Run(filter, new((uint)number, 0xC000003E, new ulong[6])).Steps);
        Assert.True(most <= 20, $"{most} steps");
        Assert.InRange(filter.Length, 100, 1000);
    }

    /// <summary>The profile, read as its documentation says, without any cleverness.</summary>
    static uint Evaluate(SeccompProfile profile, SeenCall call)
    {
        uint byDefault = Result(profile.DefaultAction, profile.DefaultErrno);
        bool x32 = (call.Number & X32Bit) != 0 && call.Architecture == 0xC000003E;
        var architecture = call.Architecture switch
        {
            0xC000003E => x32 && call.Number != uint.MaxValue ? SeccompArchitecture.X32 : SeccompArchitecture.X64,
            0x40000003 => SeccompArchitecture.X86,
            _ => (SeccompArchitecture?)null,
        };

        // A tracer's -1 is looked up among x32 numbers where there are any: it is above them all.
        if (call is { Number: uint.MaxValue, Architecture: 0xC000003E })
        {
            if (!profile.Architectures.Contains(SeccompArchitecture.X32))
            {
                return byDefault;
            }

            architecture = SeccompArchitecture.X32;
        }

        if (architecture is not { } known || (known != SeccompArchitecture.X64 && !profile.Architectures.Contains(known)))
        {
            return (uint)SeccompAction.KillProcess;
        }

        uint number = known == SeccompArchitecture.X32 ? call.Number & ~X32Bit : call.Number;
        var numbers = profile.Rules.SelectMany(rule => rule.Names).Select(name => SyscallTable.Number(name, known)).Where(candidate => candidate >= 0).ToArray();
        if (numbers.Length > 0 && number > numbers.Max() && profile.DefaultAction is not (SeccompAction.Allow or SeccompAction.Log or SeccompAction.Trace))
        {
            return Result(SeccompAction.Errno, (uint)Errno.ENOSYS);
        }

        var rules = profile.Rules
            .Where(rule => Result(rule.Action, rule.Errno) != byDefault && rule.Names.Any(name => SyscallTable.Number(name, known) == number))
            .ToArray();
        var rule = rules.FirstOrDefault(rule => rule.Conditions.Count == 0) ?? rules.FirstOrDefault(rule => Matches(rule, call));
        return rule is null ? byDefault : Result(rule.Action, rule.Errno);
    }

    static bool Matches(SeccompRule rule, SeenCall call) =>
        rule.Conditions.GroupBy(condition => condition.Argument).Any(group => group.Count() > 1)
            ? rule.Conditions.Any(condition => Holds(condition, call))
            : rule.Conditions.All(condition => Holds(condition, call));

    static bool Holds(SeccompCondition condition, SeenCall call)
    {
        ulong argument = call.Arguments[condition.Argument];
        return condition.Operator switch
        {
            SeccompOperator.NotEqual => argument != condition.Value,
            SeccompOperator.Less => argument < condition.Value,
            SeccompOperator.LessOrEqual => argument <= condition.Value,
            SeccompOperator.Equal => argument == condition.Value,
            SeccompOperator.GreaterOrEqual => argument >= condition.Value,
            SeccompOperator.Greater => argument > condition.Value,
            _ => (argument & condition.Value) == condition.MaskedValue,
        };
    }

    static uint Result(SeccompAction action, uint data) => action is SeccompAction.Errno or SeccompAction.Trace ? (uint)action | data : (uint)action;
}
