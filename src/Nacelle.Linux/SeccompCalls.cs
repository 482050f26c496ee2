namespace Nacelle.Linux;

/// <summary>What happens to a call: the first alternative whose conditions all hold counts, otherwise the result. Results are SECCOMP_RET_* values with their data.</summary>
sealed record CallFate(uint Result, IReadOnlyList<(IReadOnlyList<SeccompCondition> Conditions, uint Result)> Alternatives)
{
    /// <summary>A call of an architecture that the profile does not speak of.</summary>
    public static readonly CallFate Foreign = new((uint)SeccompAction.KillProcess, []);
}

/// <summary>The fate of all calls from this number up to the next range's first.</summary>
readonly record struct CallRange(uint First, CallFate Fate);

/// <summary>A profile's rules, sorted by call instead of by rule.</summary>
sealed class SeccompCalls
{
    readonly CallFate?[] fates = new CallFate?[SyscallTable.Count];
    readonly bool[] named = new bool[SyscallTable.Count];
    readonly List<string> unknownNames = [];

    public SeccompCalls(SeccompProfile profile)
    {
        DefaultFate = new CallFate(Value(profile.DefaultAction, profile.DefaultErrno), []);

        // Programs try new calls first and fall back on ENOSYS only: EPERM for a call that the profile's author could not know breaks them.
        bool strict = profile.DefaultAction is not (SeccompAction.Allow or SeccompAction.Log or SeccompAction.Trace);
        FateOfLater = strict ? new CallFate(Value(SeccompAction.Errno, (uint)Errno.ENOSYS), []) : DefaultFate;

        foreach (var rule in profile.Rules)
        {
            uint result = Value(rule.Action, rule.Errno);
            var fate = rule.Conditions.Count == 0 ? new CallFate(result, []) : null;
            foreach (var name in rule.Names)
            {
                int place = SyscallTable.Find(name);
                if (place < 0)
                {
                    unknownNames.Add(name);
                    continue;
                }

                named[place] = true;
                if (result != DefaultFate.Result)
                {
                    fates[place] = Merge(fates[place], fate, rule, result);
                }
            }
        }
    }

    public CallFate DefaultFate { get; }

    public IReadOnlyList<string> UnknownNames => unknownNames;

    /// <summary>The fate of calls above the highest number that the profile names.</summary>
    CallFate FateOfLater { get; }

    /// <summary>All call numbers from 0 up, in as few ranges as can be.</summary>
    public CallRange[] Ranges(SeccompArchitecture architecture)
    {
        int highest = -1;
        var numbered = new List<(uint Number, CallFate Fate)>();
        for (int place = 0; place < fates.Length; place++)
        {
            int number = named[place] ? SyscallTable.Number(place, architecture) : -1;
            if (number >= 0)
            {
                highest = Math.Max(highest, number);
                numbered.Add(((uint)number, fates[place] ?? DefaultFate));
            }
        }

        numbered.Sort((one, other) => one.Number.CompareTo(other.Number));
        var ranges = new List<CallRange>();
        uint next = 0;
        foreach (var (number, fate) in numbered)
        {
            if (number > next)
            {
                Add(next, DefaultFate);
            }

            Add(number, fate);
            next = number + 1;
        }

        // A profile without a single call of this architecture says nothing of how new its calls may be.
        Add(next, highest < 0 ? DefaultFate : FateOfLater);
        return [.. ranges];

        void Add(uint first, CallFate fate)
        {
            if (ranges.Count == 0 || !Same(ranges[^1].Fate, fate))
            {
                ranges.Add(new CallRange(first, fate));
            }
        }
    }

    CallFate Merge(CallFate? former, CallFate? unconditional, SeccompRule rule, uint result)
    {
        if (former is { Alternatives.Count: 0 })
        {
            return former;
        }

        if (unconditional is not null)
        {
            return unconditional;
        }

        // Two conditions on one argument could hardly hold both; runc takes them as alternatives, and profiles rely on it.
        bool either = rule.Conditions.DistinctBy(condition => condition.Argument).Count() < rule.Conditions.Count;
        IEnumerable<IReadOnlyList<SeccompCondition>> added = either ? rule.Conditions.Select(condition => (IReadOnlyList<SeccompCondition>)[condition]) : [rule.Conditions];
        return new CallFate(DefaultFate.Result, [.. former?.Alternatives ?? [], .. added.Select(conditions => (conditions, result))]);
    }

    static bool Same(CallFate one, CallFate other) => one.Result == other.Result && one.Alternatives.Count == 0 && other.Alternatives.Count == 0;

    static uint Value(SeccompAction action, uint data) => action is SeccompAction.Errno or SeccompAction.Trace ? (uint)action | (data & 0xFFFF) : (uint)action;
}
