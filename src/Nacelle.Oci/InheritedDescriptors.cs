using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>The descriptors that the caller hands on to a process of a container: those of socket activation, then those of --preserve-fds.</summary>
/// <remarks>sd_listen_fds(3): they start at 3, and the process finds their number in LISTEN_FDS and its own id in LISTEN_PID.</remarks>
sealed record InheritedDescriptors(int Count, IReadOnlyList<string> Environment)
{
    /// <param name="preserved">How many further ones follow.</param>
    /// <param name="pid">The process's id as it sees it itself.</param>
    /// <exception cref="UserException">One of them is not open: it would be one of ours by the time the process starts.</exception>
    public static InheritedDescriptors Find(int preserved, int pid)
    {
        int sockets = 0;
        List<string> environment = [];
        if (int.TryParse(System.Environment.GetEnvironmentVariable("LISTEN_FDS"), out sockets) && sockets > 0
            && (System.Environment.GetEnvironmentVariable("LISTEN_PID") is not { } mine || mine == $"{System.Environment.ProcessId}"))
        {
            environment.AddRange([$"LISTEN_FDS={sockets}", $"LISTEN_PID={pid}"]);
            if (System.Environment.GetEnvironmentVariable("LISTEN_FDNAMES") is { } names)
            {
                environment.Add($"LISTEN_FDNAMES={names}");
            }
        }
        else
        {
            sockets = 0;
        }

        for (int number = 3; number < 3 + sockets + preserved; number++)
        {
            if (!IsInherited(number))
            {
                throw new UserException($"descriptor {number}, which the process shall keep, is not open");
            }
        }

        return new(sockets + preserved, environment);
    }

    public RuntimeProcess AddTo(RuntimeProcess process) =>
        Environment.Count == 0 ? process
        : process with { Env = [.. process.Env.Where(variable => !variable.StartsWith("LISTEN_", StringComparison.Ordinal)), .. Environment] };

    static bool IsInherited(int number)
    {
        try
        {
            return new FileDescriptor(number, $"descriptor {number}", owned: false).Inherited;
        }
        catch (KernelException)
        {
            return false;
        }
    }
}
