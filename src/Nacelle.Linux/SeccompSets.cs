namespace Nacelle.Linux;

/// <summary>The named sets that appc's seccomp isolators may list, and filters made of such lists as rkt made them.</summary>
/// <remarks>rkt, Documentation/seccomp-guide.md; the @systemd sets as systemd 252 has them.</remarks>
public static class SeccompSets
{
    const string Clock = "adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday";
    const string Obsolete =
        "_sysctl afs_syscall bdflush break create_module ftime get_kernel_syms getpmsg gtty idle lock mpx prof profil putpmsg query_module security " +
        "sgetmask ssetmask stime stty sysfs tuxcall ulimit uselib ustat vserver";
    const string RawIo = "ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write s390_pci_mmio_read s390_pci_mmio_write";

    /// <summary>The calls that every app could do harm with, as Docker listed them when rkt took the list over.</summary>
    const string Dangerous =
        "acct add_key adjtimex bpf clock_adjtime clock_settime create_module delete_module finit_module get_kernel_syms get_mempolicy init_module ioperm " +
        "iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind mount move_pages name_to_handle_at nfsservctl open_by_handle_at perf_event_open " +
        "pivot_root process_vm_readv process_vm_writev ptrace query_module quotactl reboot request_key set_mempolicy setns settimeofday stime swapoff swapon " +
        "sysfs _sysctl umount umount2 unshare uselib userfaultfd ustat vm86 vm86old";

    /// <summary>The names that a set stands for; a plain name stands for itself. Null where there is no such set.</summary>
    public static IReadOnlyList<string>? Expand(string item) => item switch
    {
        "@appc.io/all" => [.. Enumerable.Range(0, SyscallTable.Count).Select(SyscallTable.Name)],
        "@appc.io/empty" => [],
        "@docker/default-whitelist" or "@rkt/default-whitelist" => [.. DefaultSeccompProfile.OrdinaryNames, .. ArmNames],
        "@docker/default-blacklist" or "@rkt/default-blacklist" => Dangerous.Split(' '),
        "@systemd/clock" => Clock.Split(' '),
        "@systemd/default-whitelist" => (
            "arch_prctl brk cacheflush clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 execve exit " +
            "exit_group futex futex_time64 futex_waitv get_robust_list get_thread_area getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 " +
            "getpgid getpgrp getpid getppid getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getsid gettid gettimeofday getuid getuid32 membarrier " +
            "mmap mmap2 mprotect munmap nanosleep pause prlimit64 restart_syscall riscv_flush_icache riscv_hwprobe rseq rt_sigreturn sched_getaffinity sched_yield " +
            "set_robust_list set_thread_area set_tid_address set_tls sigreturn time ugetrlimit uretprobe").Split(' '),
        "@systemd/mount" => "chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree pivot_root umount umount2".Split(' '),
        "@systemd/network-io" => (
            "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send sendmmsg " +
            "sendmsg sendto setsockopt shutdown socket socketcall socketpair").Split(' '),
        "@systemd/obsolete" => Obsolete.Split(' '),
        "@systemd/privileged" => (
            $"{Clock} {RawIo} chown chown32 fchown fchown32 fchownat lchown lchown32 delete_module finit_module init_module kexec_file_load kexec_load " +
            "reboot swapoff swapon _sysctl acct bpf capset chroot fanotify_init fanotify_mark nfsservctl open_by_handle_at pivot_root quotactl quotactl_fd " +
            "setdomainname setfsuid setfsuid32 setgroups setgroups32 sethostname setresuid setresuid32 setreuid setreuid32 setuid setuid32 vhangup").Split(' '),
        "@systemd/process" => (
            "capget clone clone3 execveat fork getrusage kill pidfd_open pidfd_send_signal prctl rt_sigqueueinfo rt_tgsigqueueinfo setns swapcontext " +
            "tgkill times tkill unshare vfork wait4 waitid waitpid").Split(' '),
        "@systemd/raw-io" => RawIo.Split(' '),
        _ when item.StartsWith('@') => null,
        _ => [item],
    };

    /// <summary>A filter that lets only these pass, and what every program needs to start, wait and end: os/linux/seccomp-retain-set. Null for <c>@appc.io/all</c>: no filter.</summary>
    /// <param name="errno">What other calls fail with; null to kill who makes one (SIGSYS).</param>
    /// <exception cref="ArgumentException">There is no set of that name.</exception>
    public static SeccompProfile? Retain(IReadOnlyList<string> items, Errno? errno) =>
        items.Contains("@appc.io/all") ? null : Filter(Refusal(errno), errno, new(ExpandAll([.. items, "@systemd/default-whitelist"]), SeccompAction.Allow));

    /// <summary>A filter that lets all but these pass: os/linux/seccomp-remove-set. Null for <c>@appc.io/empty</c>: the default filter is wanted.</summary>
    /// <param name="errno">See <see cref="Retain"/>.</param>
    /// <exception cref="ArgumentException">There is no set of that name.</exception>
    public static SeccompProfile? Remove(IReadOnlyList<string> items, Errno? errno) =>
        items.Contains("@appc.io/empty") ? null : Filter(SeccompAction.Allow, errno, new(ExpandAll(items), Refusal(errno)) { Errno = (uint)(errno ?? Errno.EPERM) });

    static SeccompAction Refusal(Errno? errno) => errno is null ? SeccompAction.KillProcess : SeccompAction.Errno;

    static SeccompProfile Filter(SeccompAction byDefault, Errno? errno, SeccompRule rule) => new()
    {
        DefaultAction = byDefault,
        DefaultErrno = (uint)(errno ?? Errno.EPERM),
        Architectures = SeccompFilter.Native == SeccompArchitecture.Arm64
            ? [SeccompArchitecture.Arm64, SeccompArchitecture.Arm]
            : [SeccompArchitecture.X64, SeccompArchitecture.X86, SeccompArchitecture.X32],
        Rules = [rule],
    };

    static string[] ExpandAll(IReadOnlyList<string> items) =>
        [.. items.SelectMany(item => Expand(item) ?? throw new ArgumentException($"no set of system calls is named '{item}'")).Distinct()];

    static string[] ArmNames =>
        SeccompFilter.Native == SeccompArchitecture.Arm64 ? ["arm_fadvise64_64", "arm_sync_file_range", "breakpoint", "cacheflush", "set_tls", "sync_file_range2"] : [];
}
