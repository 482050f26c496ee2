using System.Text;
using Nacelle.Linux;

namespace Nacelle.CommandLine;

/// <summary>nacelle-fetch as a helper of our other executables: what speaks to other machines is in it alone.</summary>
public static class FetchProgram
{
    public const string Name = "nacelle-fetch";

    /// <summary>Runs it to its end, with our standard input and standard error.</summary>
    /// <param name="arguments">The verb first.</param>
    /// <returns>What it writes to standard output.</returns>
    /// <exception cref="AlreadyToldException">It has failed, and has said why.</exception>
    public static string Run(IReadOnlyList<string> arguments)
    {
        var program = InstalledPrograms.Find(Name);
        var (read, write) = Files.CreatePipe(Name);
        using (read)
        {
            Process process;
            using (write)
            {
                var plan = new LaunchPlan();
                plan.Call($"connect {Name}", SystemCall.dup3, plan.Descriptor(write), 1, 0);
                plan.Call("unblock signals", SystemCall.rt_sigprocmask, 2, plan.Bytes(stackalloc byte[8]), 0, 8);
                plan.Call($"exec {program}", SystemCall.execve, plan.Text(program), plan.TextArray([ProgramName.For(program), .. arguments]), plan.TextArray(Processes.Environment()));
                process = Launcher.Start(plan);
            }

            var output = Encoding.UTF8.GetString(Files.ReadToEnd(read));
            return process.Wait().ShellCode == 0 ? output : throw new AlreadyToldException();
        }
    }
}
