using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Numbers of the system calls made without a wrapper of the C library. Calls since Linux 5.0 have one number everywhere.</summary>
/// <remarks>asm/unistd_64.h and asm-generic/unistd.h of Linux 6.1.</remarks>
public static class SystemCall
{
    static readonly bool Arm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public const int pidfd_send_signal = 424;
    public const int open_tree = 428;
    public const int move_mount = 429;
    public const int fsopen = 430;
    public const int fsconfig = 431;
    public const int fsmount = 432;
    public const int fspick = 433;
    public const int pidfd_open = 434;
    public const int clone3 = 435;
    public const int close_range = 436;
    public const int openat2 = 437;
    public const int mount_setattr = 442;

    public static readonly int read = Number(0, 63);
    public static readonly int write = Number(1, 64);
    public static readonly int close = Number(3, 57);
    public static readonly int lseek = Number(8, 62);
    public static readonly int rt_sigaction = Number(13, 134);
    public static readonly int rt_sigprocmask = Number(14, 135);
    public static readonly int ioctl = Number(16, 29);
    public static readonly int fsetxattr = Number(190, 7);
    public static readonly int dup3 = Number(292, 24);
    public static readonly int sendmsg = Number(46, 211);
    public static readonly int ppoll = Number(271, 73);
    public static readonly int setsid = Number(112, 157);
    public static readonly int execve = Number(59, 221);
    public static readonly int execveat = Number(322, 281);
    public static readonly int fcntl = Number(72, 25);
    public static readonly int chdir = Number(80, 49);
    public static readonly int fchdir = Number(81, 50);
    public static readonly int umask = Number(95, 166);
    public static readonly int getpid = Number(39, 172);
    public static readonly int getppid = Number(110, 173);
    public static readonly int setuid = Number(105, 146);
    public static readonly int setgid = Number(106, 144);
    public static readonly int setgroups = Number(116, 159);
    public static readonly int setresuid = Number(117, 147);
    public static readonly int setresgid = Number(119, 149);
    public static readonly int capset = Number(126, 91);
    public static readonly int personality = Number(135, 92);
    public static readonly int pivot_root = Number(155, 41);
    public static readonly int prctl = Number(157, 167);
    public static readonly int chroot = Number(161, 51);
    public static readonly int mount = Number(165, 40);
    public static readonly int umount2 = Number(166, 39);
    public static readonly int sethostname = Number(170, 161);
    public static readonly int setdomainname = Number(171, 162);
    public static readonly int openat = Number(257, 56);
    public static readonly int mkdirat = Number(258, 34);
    public static readonly int mknodat = Number(259, 33);
    public static readonly int fchownat = Number(260, 54);
    public static readonly int symlinkat = Number(266, 36);
    public static readonly int fchmod = Number(91, 52);
    public static readonly int fchown = Number(93, 55);
    public static readonly int unlinkat = Number(263, 35);
    public static readonly int unshare = Number(272, 97);
    public static readonly int prlimit64 = Number(302, 261);
    public static readonly int setns = Number(308, 268);
    public static readonly int seccomp = Number(317, 277);
    public static readonly int add_key = Number(248, 217);
    public static readonly int keyctl = Number(250, 219);
    public static readonly int bpf = Number(321, 280);
    public static readonly int exit_group = Number(231, 94);
    public static readonly int kill = Number(62, 129);
    public static readonly int signalfd4 = Number(289, 74);
    public static readonly int socket = Number(41, 198);
    public static readonly int bind = Number(49, 200);
    public static readonly int listen = Number(50, 201);
    public static readonly int setsockopt = Number(54, 208);
    public static readonly int statx = Number(332, 291);
    public static readonly int set_mempolicy = Number(238, 237);
    public static readonly int sched_setaffinity = Number(203, 122);
    public static readonly int faccessat2 = 439;
    public static readonly int ioprio_set = Number(251, 30);
    public static readonly int sched_setattr = Number(314, 274);

    static int Number(int x64, int arm64) => Arm64 ? arm64 : x64;
}
