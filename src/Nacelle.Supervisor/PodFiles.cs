using Nacelle.Containers;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>What the pod's PID 1 writes down for others, below <c>/rkt</c>. A full disk costs them the knowledge, and not the pod its life.</summary>
static class PodFiles
{
    /// <param name="name">Below <c>/rkt</c>.</param>
    public static void Write(string name, string content) => Try(name, path => Files.WriteAll(FileDescriptor.WorkingDirectory, path, content));

    public static void Try(string name, Action<string> write)
    {
        try
        {
            write($"/rkt/{name}");
        }
        catch (KernelException problem) when (problem.Errno is Errno.ENOSPC or Errno.EDQUOT or Errno.EIO or Errno.EROFS)
        {
            Messages.Error($"warning: {problem.Message}: nobody will find it there");
        }
    }
}
