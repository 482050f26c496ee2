using System.Text.Json;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What an app's isolators come to. Each isolator is enforced, or refused by name; none is passed over in silence.</summary>
/// <remarks>appc 0.8.11, spec/ace.md, "Isolators".</remarks>
sealed record AppLimits
{
    public ResourceLimits Resources { get; } = new();

    public int? OutOfMemoryScore { get; private set; }

    public bool NoNewPrivileges { get; private set; }

    public CapabilitySet Capabilities { get; private set; } = CapabilitySet.Default;

    /// <summary>Null for the default filter.</summary>
    public SeccompProfile? Seccomp { get; private set; }

    public bool SeccompIsOff { get; private set; }

    /// <summary>Of the process, or null for that of the pod.</summary>
    public string? SelinuxLabel { get; private set; }

    public string? ApparmorProfile { get; private set; }

    /// <param name="path">Of the list, for messages.</param>
    /// <exception cref="SpecException">An isolator is not understood, given twice, or cannot be enforced.</exception>
    public static AppLimits Read(IReadOnlyList<Isolator> isolators, string path)
    {
        var limits = new AppLimits();
        Isolators.ForEach(isolators, path, limits.Take);
        return limits;
    }

    bool Take(Isolator isolator, string at)
    {
        var value = isolator.Value;
        switch (isolator.Name)
        {
            case "os/linux/oom-score-adj":
                OutOfMemoryScore = value.GetInt32() is >= -1000 and <= 1000 and var score
                    ? score : throw new SpecException(at, "an out-of-memory score lies between -1000 and 1000");
                return true;
            case "os/linux/no-new-privileges":
                NoNewPrivileges = value.GetBoolean();
                return true;
            case "os/linux/capabilities-retain-set":
                Capabilities = SetOf(value, at);
                return true;
            case "os/linux/capabilities-remove-set":
                Capabilities = CapabilitySet.Default.Except(SetOf(value, at));
                return true;
            case "os/linux/seccomp-retain-set":
                Seccomp = Filter(SeccompSets.Retain, value, at);
                SeccompIsOff = Seccomp is null;
                return true;
            case "os/linux/seccomp-remove-set":
                Seccomp = Filter(SeccompSets.Remove, value, at);
                return true;
            case "os/linux/selinux-context":
                SelinuxLabel = Isolators.SelinuxLabelOf(value);
                return true;
            case "os/linux/apparmor-profile":
                ApparmorProfile = value.GetString() is { Length: > 0 } profile ? profile : throw new FormatException();
                return true;
            default:
                return Resources.TryTake(isolator, at);
        }
    }

    static SeccompProfile? Filter(Func<IReadOnlyList<string>, Errno?, SeccompProfile?> make, JsonElement value, string at)
    {
        try
        {
            return Names(value) is { Count: > 0 } names ? make(names, ErrnoOf(value, at)) : throw new SpecException(at, "the set names no system call");
        }
        catch (ArgumentException problem)
        {
            throw new SpecException(at, problem.Message);
        }
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

    /// <returns>Null where the call shall end the app.</returns>
    static Errno? ErrnoOf(JsonElement value, string at) =>
        !value.TryGetProperty("errno", out var name) || name.GetString() is not { Length: > 0 } text ? null
        : ErrnoNames.TryParse(text) is { } errno ? errno
        : throw new SpecException(at, $"'{text}' is no error name such as EPERM");
}
