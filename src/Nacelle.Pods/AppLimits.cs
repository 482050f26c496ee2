using System.Text.Json;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What an app's isolators come to. Each isolator is enforced, or refused by name; none is passed over in silence.</summary>
/// <remarks>appc 0.8.11, spec/ace.md, "Isolators"; <c>os/linux/pids-limit</c> is Nacelle's own.</remarks>
sealed record AppLimits
{
    /// <summary>In bytes.</summary>
    public long? Memory { get; private set; }

    /// <summary>In thousandths of a processor.</summary>
    public long? Cpu { get; private set; }

    public ulong? CpuShares { get; private set; }

    public long? Pids { get; private set; }

    public int? OutOfMemoryScore { get; private set; }

    public bool NoNewPrivileges { get; private set; }

    public CapabilitySet Capabilities { get; private set; } = CapabilitySet.Default;

    /// <summary>Null for the default filter.</summary>
    public SeccompProfile? Seccomp { get; private set; }

    public bool SeccompIsOff { get; private set; }

    public static AppLimits Read(IReadOnlyList<Isolator> isolators, string path)
    {
        var limits = new AppLimits();
        for (int i = 0; i < isolators.Count; i++)
        {
            var at = $"{path}[{i}].value";
            try
            {
                limits.Take(isolators[i], at);
            }
            catch (Exception problem) when (problem is InvalidOperationException or KeyNotFoundException or FormatException)
            {
                throw new SpecException(at, $"is not what the isolator {isolators[i].Name} takes: {isolators[i].Value.GetRawText()}");
            }
        }

        return limits;
    }

    void Take(Isolator isolator, string at)
    {
        var value = isolator.Value;
        switch (isolator.Name)
        {
            case "resource/memory":
                Memory = Quantity.ParseWhole(LimitOf(value), at);
                break;
            case "resource/cpu":
                Cpu = Quantity.ParseThousandths(LimitOf(value), at);
                break;
            case "os/linux/cpu-shares":
                CpuShares = value.GetUInt64();
                break;
            case "os/linux/pids-limit":
                Pids = value.GetInt64();
                break;
            case "os/linux/oom-score-adj":
                OutOfMemoryScore = value.GetInt32() is >= -1000 and <= 1000 and var score
                    ? score : throw new SpecException(at, "an out-of-memory score lies between -1000 and 1000");
                break;
            case "os/linux/no-new-privileges":
                NoNewPrivileges = value.GetBoolean();
                break;
            case "os/linux/capabilities-retain-set":
                Capabilities = SetOf(value, at);
                break;
            case "os/linux/capabilities-remove-set":
                Capabilities = CapabilitySet.Default.Except(SetOf(value, at));
                break;
            case "os/linux/seccomp-retain-set":
                Seccomp = SeccompSets.Retain(Names(value), ErrnoOf(value, at));
                SeccompIsOff = Seccomp is null;
                break;
            case "os/linux/seccomp-remove-set":
                Seccomp = SeccompSets.Remove(Names(value), ErrnoOf(value, at));
                SeccompIsOff = Seccomp is null;
                break;
            default:
                throw new SpecException(at, $"the isolator {isolator.Name} cannot be enforced here; remove it to run the app without it");
        }
    }

    static string LimitOf(JsonElement value)
    {
        var limit = value.GetProperty("limit");
        return limit.ValueKind == JsonValueKind.String ? limit.GetString()! : limit.GetRawText();
    }

    static List<string> Names(JsonElement value) => [.. value.GetProperty("set").EnumerateArray().Select(name => name.GetString() ?? "")];

    static CapabilitySet SetOf(JsonElement value, string at)
    {
        var set = CapabilitySet.Empty;
        foreach (var name in Names(value))
        {
            set = CapabilityNames.TryParse(name, out var capability) ? set.With(capability) : throw new SpecException(at, $"'{name}' is no capability");
        }

        return set;
    }

    static Errno ErrnoOf(JsonElement value, string at) =>
        !value.TryGetProperty("errno", out var name) ? Errno.EPERM
        : Enum.TryParse<Errno>(name.GetString(), out var errno) && errno != Errno.None ? errno
        : throw new SpecException(at, $"'{name.GetString()}' is no error name such as EPERM");
}
