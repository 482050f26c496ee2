using System.Globalization;

namespace Nacelle.Linux;

/// <summary>A set of capabilities, one bit each, as /proc/PID/status writes it and capset(2) takes it in two halves.</summary>
public readonly record struct CapabilitySet(ulong Bits)
{
    public static readonly CapabilitySet Empty;

    /// <summary>What an app gets when nothing else is said: rkt's fourteen, which are Docker's of that time.</summary>
    public static readonly CapabilitySet Default = Of(
        Capability.AuditWrite, Capability.Chown, Capability.DacOverride, Capability.Fsetid, Capability.Fowner, Capability.Kill, Capability.Mknod,
        Capability.NetRaw, Capability.NetBindService, Capability.Setuid, Capability.Setgid, Capability.Setpcap, Capability.Setfcap, Capability.SysChroot);

    public static CapabilitySet Of(params ReadOnlySpan<Capability> capabilities)
    {
        ulong bits = 0;
        foreach (var capability in capabilities)
        {
            bits |= 1ul << (int)capability;
        }

        return new(bits);
    }

    /// <summary>Every capability that the running kernel has.</summary>
    /// <remarks>Dropping one that it does not have fails with EINVAL. See capabilities(7), /proc/sys/kernel/cap_last_cap.</remarks>
    public static CapabilitySet All() => all ??= FindAll();

    static CapabilitySet? all;

    static CapabilitySet FindAll()
    {
        var text = Files.TryReadText(FileDescriptor.WorkingDirectory, "/proc/sys/kernel/cap_last_cap");
        int last = int.TryParse(text, CultureInfo.InvariantCulture, out int number) ? number : CapabilityNames.Count - 1;
        return new(last >= 63 ? ulong.MaxValue : (1ul << (last + 1)) - 1);
    }

    /// <summary>What this process may do now.</summary>
    public static CapabilitySet Effective() => OfProcess("self", "CapEff");

    /// <summary>What this process and its children can ever get by executing a file.</summary>
    public static CapabilitySet Bounding() => OfProcess("self", "CapBnd");

    /// <param name="process">A process id, or "self".</param>
    /// <param name="field">CapInh, CapPrm, CapEff, CapBnd or CapAmb. See proc_pid_status(5).</param>
    public static CapabilitySet OfProcess(string process, string field)
    {
        string path = $"/proc/{process}/status";
        var status = Files.TryReadText(FileDescriptor.WorkingDirectory, path) ?? throw new KernelException($"read {path}", Errno.ENOENT);
        foreach (var line in status.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(field) && line[field.Length..].StartsWith(":"))
            {
                return new(ulong.Parse(line[(field.Length + 1)..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            }
        }

        throw new KernelException($"read {field} in {path}", Errno.ENODATA);
    }

    public bool Contains(Capability capability) => (Bits >> (int)capability & 1) != 0;

    public CapabilitySet With(Capability capability) => new(Bits | (1ul << (int)capability));

    public CapabilitySet Without(Capability capability) => new(Bits & ~(1ul << (int)capability));

    public CapabilitySet Union(CapabilitySet other) => new(Bits | other.Bits);

    public CapabilitySet Intersect(CapabilitySet other) => new(Bits & other.Bits);

    public CapabilitySet Except(CapabilitySet other) => new(Bits & ~other.Bits);

    public IEnumerable<Capability> Members()
    {
        for (int number = 0; number < 64; number++)
        {
            if ((Bits >> number & 1) != 0)
            {
                yield return (Capability)number;
            }
        }
    }

    /// <summary>The names in the order of their numbers, with commas between.</summary>
    public override string ToString() => string.Join(',', Members().Select(capability => capability.Name()));
}
