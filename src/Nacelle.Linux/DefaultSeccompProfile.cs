namespace Nacelle.Linux;

/// <summary>The filter that an app gets when nothing else is said: ordinary calls pass, the rest fail with EPERM.</summary>
/// <remarks>
/// It lets pass what the customary default of container engines lets pass, so that images which run elsewhere run here. What is missing
/// from the lists is missing for a reason: io_uring (a second way into most of the kernel, past this filter), keyrings (not namespaced), userfaultfd
/// and kernel-wide memory policy (tools of exploits, and of few programs else), swap, quota, reboot, modules, clocks and other affairs of the host.
/// </remarks>
public static class DefaultSeccompProfile
{
    const ulong AF_VSOCK = 40, AF_ALG = 38;

    /// <summary>CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.</summary>
    const ulong NamespaceFlags = 0x7E020000;

    /// <summary>For an app with these capabilities: what a capability is there for is allowed to whoever has it.</summary>
    /// <param name="kernel">The running kernel's version.</param>
    /// <param name="native">The architecture to filter for, with the 32-bit ones that it runs as well.</param>
    public static SeccompProfile For(CapabilitySet capabilities, Version kernel, SeccompArchitecture native)
    {
        List<SeccompRule> rules =
        [
            Allow(Files), Allow(Attributes), Allow(Descriptors), Allow(Waiting), Allow(Memory), Allow(Processes), Allow(Identity), Allow(Scheduling),
            Allow(Signals), Allow(TimeAndTimers), Allow(Sockets), Allow(InterProcess), Allow(Machine),
            .. SocketFamilies, .. Personalities,
            .. Privileged.Where(entry => capabilities.Contains(entry.Capability)).Select(entry => Allow(entry.Calls)),
        ];

        // Before 4.8 a tracer could change a call after the filter had seen it (seccomp(2)).
        if (kernel >= new Version(4, 8))
        {
            rules.Add(Allow("process_vm_readv process_vm_writev ptrace"));
        }

        if (!capabilities.Contains(Capability.SysAdmin))
        {
            rules.Add(Allow("clone") with { Conditions = [new(0, SeccompOperator.MaskedEqual, NamespaceFlags)] });

            // clone3 passes its flags in memory, where no filter sees them; the C library falls back on clone.
            rules.Add(new(["clone3"], SeccompAction.Errno) { Errno = (uint)Errno.ENOSYS });
        }

        bool arm = native == SeccompArchitecture.Arm64;
        rules.Add(Allow(arm ? "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2" : "arch_prctl modify_ldt"));
        return new SeccompProfile
        {
            DefaultAction = SeccompAction.Errno,
            Architectures = arm ? [SeccompArchitecture.Arm64, SeccompArchitecture.Arm] : [SeccompArchitecture.X64, SeccompArchitecture.X86, SeccompArchitecture.X32],
            Rules = rules,
        };
    }

    /// <summary>All names that some app may call by this profile, whatever its arguments and capabilities but for those that only the host's root needs.</summary>
    internal static IEnumerable<string> OrdinaryNames =>
        new[] { Files, Attributes, Descriptors, Waiting, Memory, Processes, Identity, Scheduling, Signals, TimeAndTimers, Sockets, InterProcess, Machine }
            .SelectMany(Split)
            .Concat(Split("arch_prctl chroot clone modify_ldt personality socket"));

    const string Files =
        "access chdir chmod chown chown32 creat faccessat faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 " +
        "fchownat fdatasync flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 lchown lchown32 " +
        "link linkat listmount lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 readahead readlink readlinkat " +
        "rename renameat renameat2 rmdir stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs truncate truncate64 umask " +
        "unlink unlinkat utime utimensat utimensat_time64 utimes cachestat copy_file_range";

    const string Attributes =
        "fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr lremovexattr lsetxattr removexattr " +
        "removexattrat setxattr setxattrat";

    const string Descriptors =
        "_llseek close close_range dup dup2 dup3 fcntl fcntl64 ioctl lseek pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv " +
        "sendfile sendfile64 splice tee vmsplice write writev io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit";

    const string Waiting =
        "_newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 " +
        "fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch poll ppoll ppoll_time64 pselect6 pselect6_time64 select";

    const string Memory =
        "brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock " +
        "munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages";

    const string Processes =
        "execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getpgid getpgrp getpid getppid getrlimit getrusage getsid gettid " +
        "landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open prctl prlimit64 process_mrelease restart_syscall rseq seccomp " +
        "set_robust_list set_thread_area set_tid_address setpgid setrlimit setsid ugetrlimit uretprobe vfork wait4 waitid waitpid";

    const string Identity =
        "capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid getresuid32 getuid " +
        "getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid " +
        "setresuid32 setreuid setreuid32 setuid setuid32";

    const string Scheduling =
        "getpriority ioprio_get ioprio_set sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam " +
        "sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield " +
        "setpriority";

    const string Signals =
        "kill pause pidfd_send_signal rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait " +
        "rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn tgkill tkill";

    // adjtimex and clock_adjtime read the clock too; the kernel itself asks for CAP_SYS_TIME before they set it.
    const string TimeAndTimers =
        "adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep " +
        "clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 " +
        "timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times";

    const string Sockets =
        "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg " +
        "sendto setsockopt shutdown socketcall socketpair";

    const string InterProcess =
        "futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake ipc mq_getsetattr mq_notify mq_open mq_timedreceive " +
        "mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 " +
        "shmat shmctl shmdt shmget";

    const string Machine = "getrandom riscv_hwprobe sysinfo uname";

    /// <summary>AF_VSOCK reaches the hypervisor whatever the network namespace; AF_ALG has been a way to take over kernels, and is for few programs.</summary>
    static readonly SeccompRule[] SocketFamilies =
    [
        Allow("socket") with { Conditions = [new(0, SeccompOperator.Less, AF_ALG)] },
        Allow("socket") with { Conditions = [new(0, SeccompOperator.Equal, AF_ALG + 1)] },
        Allow("socket") with { Conditions = [new(0, SeccompOperator.Greater, AF_VSOCK)] },
    ];

    /// <summary>PER_LINUX, PER_LINUX32, each also with UNAME26, and the question which one it is. The others weaken address randomisation or map page 0.</summary>
    static readonly SeccompRule[] Personalities =
        [.. new ulong[] { 0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF }.Select(value => Allow("personality") with { Conditions = [new(0, SeccompOperator.Equal, value)] })];

    static readonly (Capability Capability, string Calls)[] Privileged =
    [
        (Capability.DacReadSearch, "open_by_handle_at"),
        (Capability.SysAdmin,
            "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount " +
            "mount_setattr move_mount open_tree open_tree_attr perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount " +
            "umount2 unshare"),
        (Capability.SysBoot, "reboot"),
        (Capability.SysChroot, "chroot"),
        (Capability.SysModule, "delete_module finit_module init_module"),
        (Capability.SysPacct, "acct"),
        (Capability.SysPtrace, "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"),
        (Capability.SysRawio, "ioperm iopl"),
        (Capability.SysTime, "clock_settime clock_settime64 settimeofday stime"),
        (Capability.SysTtyConfig, "vhangup"),
        (Capability.SysNice, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
        (Capability.Syslog, "syslog"),
        (Capability.Bpf, "bpf"),
        (Capability.Perfmon, "perf_event_open"),
    ];

    static SeccompRule Allow(string calls) => new(Split(calls), SeccompAction.Allow);

    static string[] Split(string calls) => calls.Split(' ');
}
