using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

public sealed unsafe partial class Cgroup
{
    /// <summary>Version 1: the rules are written one by one, after everything has been denied.</summary>
    void WriteDeviceRules(IReadOnlyList<DeviceRule> rules, List<UnsetLimit> unset)
    {
        const string Limit = "devices";
        if (Find(CgroupControllers.Devices) is not { } part)
        {
            unset.Add(new(Limit, Reason(CgroupControllers.Devices, "", Errno.ENOENT), Errno.ENOENT));
            return;
        }

        bool allowAll = false;
        int start = 0; // a rule for everything makes those before it void
        try
        {
            using var allow = Files.Open(part.Directory, "devices.allow", OpenFlags.WriteOnly);
            using var deny = Files.Open(part.Directory, "devices.deny", OpenFlags.WriteOnly);
            Files.Write(deny, "a"u8);
            for (int i = 0; i < rules.Count; i++)
            {
                var rule = rules[i];
                if (rule is { Kind: DeviceKind.Any, Major: null, Minor: null, Access: DeviceAccess.All })
                {
                    allowAll = rule.Allow;
                    Files.Write(allowAll ? allow : deny, "a"u8);
                    start = i + 1;
                    continue;
                }

                // Version 1 keeps a list of exceptions to one default: it can take out what it lists, but make no exception to an exception.
                if (rules.Take(i).Skip(start).FirstOrDefault(earlier => earlier.Allow == !allowAll && rule.Allow == allowAll && Narrows(rule, earlier)) is { Access: not 0 } wider)
                {
                    unset.Add(new(Limit, $"cgroup v1 can make no exception '{rule}' to '{wider}'", Errno.EINVAL));
                    continue;
                }

                foreach (var kind in rule.Kind == DeviceKind.Any ? (ReadOnlySpan<DeviceKind>)[DeviceKind.Block, DeviceKind.Character] : [rule.Kind])
                {
                    Files.Write(rule.Allow ? allow : deny, Encoding.ASCII.GetBytes((rule with { Kind = kind }).ToString()));
                }
            }
        }
        catch (KernelException failure)
        {
            unset.Add(new(Limit, failure.Errno == Errno.EPERM ? "the parent group does not have this access itself" : failure.Message, failure.Errno));
        }

        static bool Narrows(DeviceRule rule, DeviceRule earlier) =>
            (rule.Access & earlier.Access) != 0
            && (earlier.Kind == DeviceKind.Any || earlier.Kind == rule.Kind)
            && ((earlier.Major is null && rule.Major is not null) || (earlier.Minor is null && rule.Minor is not null && (earlier.Major is null || earlier.Major == rule.Major)));
    }

    /// <summary>Version 2: a program is attached to the group, in place of an earlier one of ours.</summary>
    void AttachDeviceProgram(IReadOnlyList<DeviceRule> rules, List<UnsetLimit> unset)
    {
        try
        {
            var directory = parts[0].Directory;
            using var program = Bpf.LoadDeviceProgram(DeviceProgram.Compile(rules));
            var former = mayHaveDeviceProgram ? Bpf.QueryDevicePrograms(directory) : [];
            mayHaveDeviceProgram = true;
            if (former.Count == 1)
            {
                using var replaced = Bpf.OpenProgram(former[0]);
                Bpf.AttachDeviceProgram(directory, program, replaced);
                return;
            }

            // With several attached all must agree: until the old ones are gone less is allowed, never more.
            Bpf.AttachDeviceProgram(directory, program, replaced: null);
            foreach (uint id in former)
            {
                using var old = Bpf.OpenProgram(id);
                Bpf.DetachDeviceProgram(directory, old);
            }
        }
        catch (KernelException failure)
        {
            unset.Add(new("devices", failure.Message, failure.Errno));
        }
    }
}
