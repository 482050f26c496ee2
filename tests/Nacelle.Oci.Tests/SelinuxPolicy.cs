namespace Nacelle.Oci.Tests;

/// <summary>
/// A small policy, loaded and enforced: who runs now may do everything; who runs as <c>container_t</c> may read and execute what is the host's, and write
/// only what is labelled <c>container_file_t</c>.
/// </summary>
/// <remarks>A kernel that has a policy keeps one for good, so this is for a machine that is thrown away: <c>eng/guest.sh --security selinux</c>.</remarks>
static class SelinuxPolicy
{
    const string Loaded = "nacelle_u:nacelle_r:host_t:s0";

    static readonly string[] Sids =
    [
        "kernel", "security", "unlabeled", "fs", "file", "file_labels", "init", "any_socket", "port", "netif", "netmsg", "node", "igmp_packet", "icmp_socket", "tcp_socket",
        "sysctl_modprobe", "sysctl", "sysctl_fs", "sysctl_kernel", "sysctl_net", "sysctl_net_unix", "sysctl_vm", "sysctl_dev", "kmod", "policy", "scmp_packet", "devnull",
    ];

    static string Text => $$"""
        (handleunknown allow)
        (mls true)
        (policycap open_perms)
        (policycap nnp_nosuid_transition)
        (class process (fork transition sigchld sigkill sigstop signull signal ptrace getsched setsched getsession getpgid setpgid getcap setcap share getattr setexec
            setfscreate noatsecure siginh setrlimit rlimitinh dyntransition setcurrent execmem execstack execheap setkeycreate setsockcreate getrlimit))
        (class file (ioctl read write create getattr setattr lock relabelfrom relabelto append map unlink link rename execute quotaon mounton audit_access open execmod
            watch watch_mount watch_sb watch_with_perm watch_reads execute_no_trans entrypoint))
        (class dir (ioctl read write create getattr setattr lock relabelfrom relabelto append map unlink link rename execute quotaon mounton audit_access open execmod
            watch watch_mount watch_sb watch_with_perm watch_reads add_name remove_name reparent search rmdir))
        (class key (view read write search link setattr create))
        (classorder (process file dir key))
        {{string.Join('\n', Sids.Select(sid => $"(sid {sid}) (sidcontext {sid} (nacelle_u nacelle_r host_t (low low)))"))}}
        (sidorder ({{string.Join(' ', Sids)}}))
        (sensitivity s0)
        (sensitivityorder (s0))
        {{string.Join('\n', Enumerable.Range(0, 8).Select(number => $"(category c{number})"))}}
        (categoryorder ({{string.Join(' ', Enumerable.Range(0, 8).Select(number => $"c{number}"))}}))
        (sensitivitycategory s0 (range c0 c7))
        (level low (s0))
        (level high (s0 (range c0 c7)))
        (type host_t)
        (type container_t)
        (type container_file_t)
        (role object_r)
        (role nacelle_r)
        (user nacelle_u)
        (userrole nacelle_u nacelle_r)
        (userrole nacelle_u object_r)
        (userlevel nacelle_u low)
        (userrange nacelle_u (low high))
        (roletype nacelle_r host_t)
        (roletype nacelle_r container_t)
        (roletype object_r host_t)
        (roletype object_r container_file_t)
        (typeattribute everything)
        (typeattributeset everything (host_t container_t container_file_t))
        (allow host_t everything (process (all)))
        (allow host_t everything (file (all)))
        (allow host_t everything (dir (all)))
        (allow host_t everything (key (all)))
        (allow container_t everything (process (all)))
        (allow container_t host_t (file (ioctl read getattr map execute open execute_no_trans entrypoint)))
        (allow container_t host_t (dir (read getattr open search)))
        (allow container_t container_t (file (all)))
        (allow container_t container_t (dir (all)))
        (allow container_t container_t (key (all)))
        (allow container_t container_file_t (file (all)))
        (allow container_t container_file_t (dir (all)))
        {{string.Join('\n', new[] { "proc", "sysfs", "cgroup2", "virtiofs", "selinuxfs", "securityfs" }.Select(type => $"(genfscon {type} / (nacelle_u object_r host_t (low low)))"))}}
        (fsuse xattr overlay (nacelle_u object_r host_t (low low)))
        (fsuse trans tmpfs (nacelle_u object_r host_t (low low)))
        (fsuse trans devtmpfs (nacelle_u object_r host_t (low low)))
        (fsuse trans devpts (nacelle_u object_r host_t (low low)))
        (fsuse trans mqueue (nacelle_u object_r host_t (low low)))
        (fsuse task pipefs (nacelle_u object_r host_t (low low)))
        (fsuse task sockfs (nacelle_u object_r host_t (low low)))
        """;

    public static void Load()
    {
        Assert.SkipUnless(File.Exists("/sys/fs/selinux/load"), "the kernel does not run SELinux: eng/guest.sh --security selinux has one that does");
        Assert.SkipUnless(File.Exists("/usr/bin/secilc"), "needs Debian's secilc");
        var current = File.ReadAllText("/proc/self/attr/current").TrimEnd('\0', '\n');
        Assert.SkipUnless(current is "kernel" or Loaded, $"this machine has a policy already: {current}");
        if (current == Loaded)
        {
            return;
        }

        var directory = Directory.CreateTempSubdirectory("nacelle-policy-").FullName;
        File.WriteAllText($"{directory}/policy.cil", Text);
        Expectations.Succeeds(OciMachine.Run("/usr/bin/secilc", $"--output={directory}/policy", "--filecontext=/dev/null", $"{directory}/policy.cil"));
        using (var load = File.OpenHandle("/sys/fs/selinux/load", FileMode.Open, FileAccess.Write))
        {
            RandomAccess.Write(load, File.ReadAllBytes($"{directory}/policy"), 0); // the whole in one write
        }

        Directory.Delete(directory, recursive: true);
        File.WriteAllText("/sys/fs/selinux/enforce", "1");
        Assert.Equal(Loaded, File.ReadAllText("/proc/self/attr/current").TrimEnd('\0', '\n'));
    }
}
