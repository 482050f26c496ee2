using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Runs this program from an executable that nobody can write to through /proc/PID/exe, whatever gets hold of that inside a container.</summary>
/// <remarks>
/// CVE-2019-5736: a container that makes its runtime execute /proc/self/exe, or that opens the /proc/PID/exe of one of its processes, has the file that root on
/// the host runs next. Here that file is seen through a copy of its mount that is read-only and, once the exec has closed its descriptor, belongs to no mount
/// namespace, so that nothing can change its attributes any more.
/// </remarks>
public static unsafe partial class SealedExecutable
{
    const ulong ST_RDONLY = 1;
    const int FlagsOffset = 80; // struct statfs: f_flags, behind nine words and the two of f_fsid, f_namelen and f_frsize

    /// <summary>Starts over from the sealed executable, unless this is it. Returns when it is.</summary>
    /// <param name="inAnyCase">Starts over although it is.</param>
    public static void Enter(bool inAnyCase = false)
    {
        ulong* status = stackalloc ulong[32];
        // SAFETY: struct statfs is 120 bytes on 64-bit machines; 256 were allocated.
        if (!inAnyCase && ((statfs("/proc/self/exe", status) == 0 && (status[FlagsOffset / 8] & ST_RDONLY) != 0) || IsSealedCopy()))
        {
            return;
        }

        using var executable = Open();
        var plan = new LaunchPlan();
        plan.Call(
            "exec the sealed executable", SystemCall.execveat, plan.Descriptor(executable), plan.Text(""), plan.TextArray(Environment.GetCommandLineArgs()),
            plan.TextArray(Processes.Environment()), Mounts.AT_EMPTY_PATH);
        using var loaded = LoadedPlan.Load(plan.ToBytes());
        loaded.Run();
        throw loaded.Failure!;
    }

    /// <summary>The file through a read-only mount, or, where making one is not allowed, a sealed copy in memory; it is closed by the exec.</summary>
    public static FileDescriptor Open()
    {
        try
        {
            var mount = Mounts.Clone(FileDescriptor.WorkingDirectory, "/proc/self/exe", recursive: false);
            Mounts.SetAttributes(mount, MountAttributes.ReadOnly);
            return mount;
        }
        catch (KernelException problem) when (problem.Errno is Errno.EPERM or Errno.ENOSYS)
        {
            return Copy();
        }
    }

    /// <summary>Only files in memory have seals; see F_GET_SEALS in fcntl(2).</summary>
    static bool IsSealedCopy()
    {
        using var executable = Files.Open("/proc/self/exe", OpenFlags.ReadOnly);
        return fcntl(executable, F_GET_SEALS, 0) is var seals and >= 0 && (seals & F_SEAL_WRITE) != 0;
    }

    const int F_ADD_SEALS = 1033, F_GET_SEALS = 1034, F_SEAL_WRITE = 8;

    static FileDescriptor Copy()
    {
        const int AllSeals = 0xF; // seal, shrink, grow, write; see memfd_create(2)
        var copy = Files.CreateInMemory("nacelle", sealable: true);
        using (var source = Files.Open("/proc/self/exe", OpenFlags.ReadOnly))
        {
            Files.CopyContent(source, copy, Files.Status(source).Size);
        }

        Call.Check(fcntl(copy, F_ADD_SEALS, AllSeals), "seal", copy.Description);
        return copy;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statfs(string path, ulong* status);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(FileDescriptor file, int command, nint argument);
}
