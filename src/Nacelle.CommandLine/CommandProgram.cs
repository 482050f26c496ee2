using Nacelle.Linux;

namespace Nacelle.CommandLine;

/// <summary>An executable of commands: finds the one that is asked for, runs it, and turns what it throws into one line and an exit code.</summary>
/// <param name="IsExpected">Whether an exception's message is meant for people; all others are faults of ours. Those of this room and of the kernel always are.</param>
public sealed record CommandProgram(string Name, string Purpose, IReadOnlyList<Command> Commands, Func<Exception, bool> IsExpected)
{
    /// <summary>The exit code of our own errors, as rkt has it, so that they are not mistaken for an app's.</summary>
    public const int OwnError = 254;

    const int NoCommand = 2;

    public int Run(string[] arguments)
    {
        try
        {
            var invocation = Grammar.Parse(Commands, GlobalFlags.All, arguments, out var command);
            if (invocation is null)
            {
                Output.Write(command is null ? Help.Overview(this) : Help.For(command));
                return arguments.Length == 0 ? NoCommand : 0;
            }

            return invocation.Command.Program is { } other ? Become(InstalledPrograms.Find(other), arguments) : invocation.Command.Run(invocation);
        }
        catch (AlreadyToldException)
        {
            return OwnError;
        }
        catch (Exception problem) when (problem is UserException or KernelException || IsExpected(problem))
        {
            Output.Error(problem.Message);
            if (Environment.GetEnvironmentVariable("NACELLE_DEBUG") is not null)
            {
                Output.Error(problem.ToString());
            }

            return OwnError;
        }
        catch (Exception fault)
        {
            Output.Error($"this is a fault of nacelle, please report it: {fault}");
            return OwnError;
        }
    }

    static int Become(string program, string[] arguments) => throw Processes.Execute(program, [program, .. arguments], Processes.Environment());
}
