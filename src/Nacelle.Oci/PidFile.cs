using System.Text;
using Nacelle.Linux;

namespace Nacelle.Oci;

static class PidFile
{
    /// <summary>Writes the number alone, in one step, so that nobody reads half of it.</summary>
    public static void Write(string path, int pid)
    {
        var temporary = $"{path}.{Environment.ProcessId}";
        Files.WriteAll(FileDescriptor.WorkingDirectory, temporary, Encoding.ASCII.GetBytes($"{pid}"));
        Files.Rename(FileDescriptor.WorkingDirectory, temporary, FileDescriptor.WorkingDirectory, path);
    }
}
