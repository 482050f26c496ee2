using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Turns the results of system calls into exceptions.</summary>
internal static class Call
{
    public static Errno LastError => (Errno)Marshal.GetLastPInvokeError();

    public static int Check(int result, string operation, string target)
    {
        if (result < 0)
        {
            Throw(operation, target);
        }

        return result;
    }

    public static nint Check(nint result, string operation, string target)
    {
        if (result < 0)
        {
            Throw(operation, target);
        }

        return result;
    }

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    public static void Throw(string operation, string target) =>
        throw new KernelException(target.Length == 0 ? operation : $"{operation} {target}", LastError);
}
