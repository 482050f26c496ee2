using System.Buffers.Binary;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Who a container's process is: user, groups and capabilities.</summary>
public static class ContainerIdentity
{
    const int PR_CAPBSET_DROP = 24, PR_SET_KEEPCAPS = 8, PR_CAP_AMBIENT = 47, PR_CAP_AMBIENT_RAISE = 2, PR_CAP_AMBIENT_CLEAR_ALL = 4;

    /// <summary>In a user namespace: its user 0, where it has one, so that what is made belongs to that.</summary>
    internal static void BecomeRoot(LaunchPlan plan)
    {
        // An unprivileged maker had to give up setgroups(2) for its namespace; see user_namespaces(7).
        plan.Call("set supplementary groups", SystemCall.setgroups, 0, 0).Tolerate(Errno.EPERM);
        plan.Call("become group 0", SystemCall.setresgid, 0, 0, 0).Tolerate(Errno.EINVAL);
        plan.Call("become user 0", SystemCall.setresuid, 0, 0, 0).Tolerate(Errno.EINVAL);
    }

    internal static void Become(LaunchPlan plan, RuntimeProcess process, CapabilitySet grantable)
    {
        var capabilities = process.Capabilities ?? new RuntimeCapabilities();
        foreach (var capability in CapabilitySet.All().Except(SetOf(capabilities.Bounding)).Members())
        {
            plan.Call("drop a capability from the bounding set", SystemCall.prctl, PR_CAPBSET_DROP, (long)capability, 0, 0, 0);
        }

        var user = process.User;
        var groups = new byte[user.AdditionalGids.Count * 4];
        for (int i = 0; i < user.AdditionalGids.Count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(groups.AsSpan(i * 4), user.AdditionalGids[i]);
        }

        plan.Call("keep capabilities", SystemCall.prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
        var setting = plan.Call("set supplementary groups", SystemCall.setgroups, user.AdditionalGids.Count, plan.Bytes(groups));
        if (groups.Length == 0)
        {
            setting.Tolerate(Errno.EPERM); // as in BecomeRoot: then there are none that could be taken away
        }

        plan.Call($"become group {user.Gid}", SystemCall.setresgid, user.Gid, user.Gid, user.Gid);
        plan.Call($"become user {user.Uid}", SystemCall.setresuid, user.Uid, user.Uid, user.Uid);
        SetCapabilities(plan, capabilities, grantable);
    }

    static void SetCapabilities(LaunchPlan plan, RuntimeCapabilities capabilities, CapabilitySet grantable)
    {
        ulong effective = SetOf(capabilities.Effective).Intersect(grantable).Bits;
        ulong permitted = SetOf(capabilities.Permitted).Intersect(grantable).Bits;
        ulong inheritable = SetOf(capabilities.Inheritable).Intersect(grantable).Bits;
        Span<byte> header = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0x20080522); // _LINUX_CAPABILITY_VERSION_3, capget(2)
        Span<byte> sets = stackalloc byte[24];
        for (int half = 0; half < 2; half++)
        {
            var at = sets[(half * 12)..];
            BinaryPrimitives.WriteUInt32LittleEndian(at, (uint)(effective >> (half * 32)));
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], (uint)(permitted >> (half * 32)));
            BinaryPrimitives.WriteUInt32LittleEndian(at[8..], (uint)(inheritable >> (half * 32)));
        }

        plan.Call("set capabilities", SystemCall.capset, plan.Bytes(header), plan.Bytes(sets));
        plan.Call("clear ambient capabilities", SystemCall.prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        // The kernel raises only what is permitted and inheritable too (capabilities(7)).
        foreach (var capability in SetOf(capabilities.Ambient).Intersect(new CapabilitySet(permitted & inheritable)).Members())
        {
            plan.Call($"raise ambient {capability.Name()}", SystemCall.prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (long)capability, 0, 0);
        }
    }

    /// <summary>What a process made by this one can have: all there is in a user namespace of its own, and what this one has itself elsewhere.</summary>
    public static CapabilitySet Grantable(bool hasUsers) =>
        hasUsers ? CapabilitySet.All() : CapabilitySet.All().Intersect(CapabilitySet.OfProcess("self", "CapPrm")).Intersect(CapabilitySet.Bounding());

    /// <summary>The names in the sets that cannot be granted: the caller warns of them (config.md, "capabilities").</summary>
    public static IReadOnlyCollection<string> Unknown(RuntimeCapabilities capabilities, CapabilitySet grantable)
    {
        var unknown = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var set in (ReadOnlySpan<IReadOnlyList<string>>)
            [capabilities.Bounding, capabilities.Effective, capabilities.Inheritable, capabilities.Permitted, capabilities.Ambient])
        {
            foreach (var name in set)
            {
                if (!CapabilityNames.TryParse(name, out var capability) || !grantable.Contains(capability))
                {
                    unknown.Add(name);
                }
            }
        }

        return unknown;
    }

    /// <summary>What the kernel does not know cannot be granted, and is left out.</summary>
    static CapabilitySet SetOf(IReadOnlyList<string> names)
    {
        var set = CapabilitySet.Empty;
        foreach (var name in names)
        {
            set = CapabilityNames.TryParse(name, out var capability) ? set.With(capability) : set;
        }

        return set.Intersect(CapabilitySet.All());
    }
}
