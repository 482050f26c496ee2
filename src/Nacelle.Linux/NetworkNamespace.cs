using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Network namespaces of other processes. See network_namespaces(7).</summary>
public static partial class NetworkNamespace
{
    /// <summary>The namespace of the calling thread; the caller owns the descriptor.</summary>
    public static FileDescriptor OpenOwn() => Files.Open("/proc/thread-self/ns/net", OpenFlags.ReadOnly);

    /// <summary>Makes a namespace that nobody is in; it lasts as long as the descriptor, which the caller owns.</summary>
    public static FileDescriptor Create()
    {
        FileDescriptor? made = null;
        using var own = OpenOwn();
        Run(own, () =>
        {
            Call.Check(unshare((int)Namespaces.Network), "create", "a network namespace");
            made = OpenOwn();
        });
        return made!;
    }

    /// <summary>Puts the calling thread into a namespace, and so what it executes.</summary>
    /// <param name="networkNamespace">A descriptor of /proc/PID/ns/net or of a bind mount of it.</param>
    public static void Enter(FileDescriptor networkNamespace) => Call.Check(setns(networkNamespace, (int)Namespaces.Network), "join", $"network namespace {networkNamespace}");

    /// <summary>Does something in another network namespace, and returns when it is done. What it throws comes out here.</summary>
    /// <remarks>A socket belongs to the namespace in which it was made; the files of /proc/sys/net show that of whoever opens them.</remarks>
    /// <param name="networkNamespace">A descriptor of /proc/PID/ns/net or of a bind mount of it.</param>
    /// <exception cref="KernelException">EPERM: takes CAP_SYS_ADMIN here and there; EINVAL: not a network namespace.</exception>
    public static void Run(FileDescriptor networkNamespace, Action action)
    {
        ExceptionDispatchInfo? failure = null;

        // Namespaces belong to threads: one of its own goes in, and ends.
        var thread = new Thread(() =>
        {
            try
            {
                Enter(networkNamespace);
                action();
            }
            catch (Exception caught)
            {
                failure = ExceptionDispatchInfo.Capture(caught);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(FileDescriptor target, int kind);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int kinds);
}
