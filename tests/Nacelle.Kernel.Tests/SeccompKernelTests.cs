using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>Filters as the kernel takes and obeys them: a child loads one and then makes the call in question.</summary>
public class SeccompKernelTests
{
    const int CLONE_NEWUTS = 0x04000000, AF_VSOCK = 40, AF_INET = 2, SOCK_STREAM = 1;

    static readonly Lazy<SeccompFilter> Default = new(() => DefaultFor(CapabilitySet.Default));

    [KernelFact]
    public void An_ordinary_program_runs_under_the_default_profile() =>
        Assert.Equal(0, Run(Default.Value, "find /etc -maxdepth 1 -type f | xargs cat | sort | gzip -c > /dev/null; date; id; ps; true", out _).ShellCode);

    [KernelFact]
    public void Mounting_is_denied_by_default() => Assert.Equal(Errno.EPERM, Try(Default.Value, SystemCall.mount));

    [KernelFact]
    public void Mounting_is_the_kernels_business_with_CAP_SYS_ADMIN() =>
        Assert.Equal(Errno.EFAULT, Try(DefaultFor(CapabilitySet.Default.With(Capability.SysAdmin)), SystemCall.mount, 1, 1, 1));

    [KernelFact]
    public void New_namespaces_are_denied_by_default() => Assert.Equal(Errno.EPERM, Try(Default.Value, SyscallTable.Number("clone", SeccompFilter.Native), CLONE_NEWUTS));

    [KernelFact]
    public void Clone3_is_said_not_to_exist_so_that_clone_is_used() => Assert.Equal(Errno.ENOSYS, Try(Default.Value, SystemCall.clone3));

    [KernelFact]
    public void A_vsock_socket_is_denied_and_an_internet_socket_is_not()
    {
        Assert.Equal(Errno.EPERM, Try(Default.Value, SystemCall.socket, AF_VSOCK, SOCK_STREAM));
        Assert.Equal(Errno.None, Try(Default.Value, SystemCall.socket, AF_INET, SOCK_STREAM));
    }

    [KernelFact]
    public void Asking_for_the_personality_is_allowed_and_turning_randomisation_off_is_not()
    {
        const int ADDR_NO_RANDOMIZE = 0x0040000;
        Assert.Equal(Errno.None, Try(Default.Value, SystemCall.personality, 0xFFFFFFFF));
        Assert.Equal(Errno.EPERM, Try(Default.Value, SystemCall.personality, ADDR_NO_RANDOMIZE));
    }

    [KernelFact]
    public void Io_uring_is_denied() => Assert.Equal(Errno.EPERM, Try(Default.Value, 425));

    [KernelFact]
    public void A_call_that_nobody_knows_yet_does_not_exist() => Assert.Equal(Errno.ENOSYS, Try(Default.Value, 600));

    [KernelFact]
    public void A_profile_that_kills_kills()
    {
        var filter = SeccompFilter.Compile(new SeccompProfile
        {
            DefaultAction = SeccompAction.Allow,
            Rules = [new(["sethostname"], SeccompAction.KillProcess)],
        });
        const int SIGSYS = 31;
        Assert.Equal(SIGSYS, Run(filter, "hostname $(hostname)", out var error).Signal | (error.Contains("Bad system call", StringComparison.Ordinal) ? SIGSYS : 0));
    }

    [KernelFact]
    public void The_longest_filter_that_compiles_is_taken_by_the_kernel()
    {
        // Every second call has a fate of its own, on every architecture.
        var rules = Enumerable.Range(0, SyscallTable.Count).Where(place => place % 2 == 0)
            .Select(place => new SeccompRule([SyscallTable.Name(place)], SeccompAction.Allow)).ToArray();
        var filter = SeccompFilter.Compile(new SeccompProfile
        {
            DefaultAction = SeccompAction.Log,
            Architectures = [SeccompArchitecture.X64, SeccompArchitecture.X86, SeccompArchitecture.X32, SeccompArchitecture.Arm, SeccompArchitecture.Arm64],
            Rules = rules,
        });
        Assert.True(filter.Length > 1500, $"{filter.Length} instructions");
        Assert.Equal(Errno.None, Try(filter, SystemCall.getpid));
    }

    static SeccompFilter DefaultFor(CapabilitySet capabilities) =>
        SeccompFilter.Compile(DefaultSeccompProfile.For(capabilities, Environment.OSVersion.Version, SeccompFilter.Native));

    /// <summary>What a child under the filter gets for a call.</summary>
    static Errno Try(SeccompFilter filter, int call, params long[] arguments)
    {
        var plan = Plan(filter);
        PlanValue Argument(int i) => i < arguments.Length ? arguments[i] : 0;
        plan.Call("the call in question", call, Argument(0), Argument(1), Argument(2));
        plan.Call("exit", SystemCall.exit_group, 0);
        try
        {
            Launcher.Start(plan).Wait();
            return Errno.None;
        }
        catch (KernelException failure) when (failure.Operation.Contains("the call in question", StringComparison.Ordinal))
        {
            return failure.Errno;
        }
    }

    static ExitStatus Run(SeccompFilter filter, string command, out string output)
    {
        var (read, write) = Files.CreatePipe("output of the command");
        var plan = Plan(filter);
        plan.Call("dup3", SystemCall.dup3, plan.Descriptor(write), 1, 0);
        plan.Call("dup3", SystemCall.dup3, plan.Descriptor(write), 2, 0);
        plan.Call("exec", SystemCall.execve, plan.Text("/bin/sh"), plan.TextArray(["sh", "-c", command]), plan.TextArray(["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]));
        var process = Launcher.Start(plan);
        write.Dispose();
        output = System.Text.Encoding.UTF8.GetString(Files.ReadToEnd(read));
        read.Dispose();
        return process.Wait();
    }

    static LaunchPlan Plan(SeccompFilter filter)
    {
        const int PR_SET_NO_NEW_PRIVS = 38, SECCOMP_SET_MODE_FILTER = 1;
        var plan = new LaunchPlan();
        plan.Call("prctl", SystemCall.prctl, PR_SET_NO_NEW_PRIVS, 1);
        plan.Call("load the filter", SystemCall.seccomp, SECCOMP_SET_MODE_FILTER, (long)filter.Flags, plan.Words(filter.Length, plan.Bytes(filter.Program)));
        return plan;
    }
}
