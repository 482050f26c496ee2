using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>A system call failed: which, on what, and why, as in <c>mount proc on /proc: EPERM (Operation not permitted)</c>.</summary>
public sealed class KernelException : Exception
{
    /// <param name="operation">What was tried, object included: <c>mount proc on /proc</c>.</param>
    public KernelException(string operation, Errno errno)
        : base($"{operation}: {errno} ({Marshal.GetPInvokeErrorMessage((int)errno)})")
    {
        Operation = operation;
        Errno = errno;
    }

    public string Operation { get; }

    public Errno Errno { get; }
}
