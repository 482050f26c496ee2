using Nacelle.Linux;

namespace Nacelle.CommandLine;

/// <summary>An executable of commands: finds the one that is asked for, runs it, and turns what it throws into one line and an exit code.</summary>
/// <param name="IsExpected">Whether an exception's message is meant for people; all others are faults of ours. Those of this room and of the kernel always are.</param>
public sealed record CommandProgram(string Name, string Purpose, IReadOnlyList<Command> Commands, Func<Exception, bool> IsExpected)
{
    /// <summary>The exit code of our own errors, as rkt has it, so that they are not mistaken for an app's.</summary>
    public const int OwnError = 254;

    const int NoCommand = 2;

    /// <summary>What words of a command may be that only this program knows, with a remark on each: of an operand by its name (<c>UUID</c>), of a flag's value by the flag (<c>--app</c>).</summary>
    public Func<Invocation, string, IEnumerable<(string Word, string Remark)>> Values { get; init; } = (_, _) => [];

    public int Run(string[] arguments)
    {
        try
        {
            switch (arguments)
            {
                case [Completion.Verb, .. var words]:
                    return Complete(words);
                case [ManualPage.Verb, var directory, var date]:
                    return WriteManual(directory, date);
            }

            switch (Grammar.Parse(Commands, GlobalFlags.All, arguments))
            {
                case Request.Do { Invocation: { Command.ActsAsRoot: true } asked } when !Processes.IsRoot:
                    return UserNamespaceEntry.Run(asked, arguments);
                case Request.Do { Invocation.Command.Program: { } other }:
                    return Become(InstalledPrograms.Find(other), arguments);
                case Request.Do { Invocation: var invocation }:
                    Output.Speaker = ProgramName.IsRkt ? invocation.Command.Name.Split(' ')[^1] : Output.Speaker;
                    return invocation.Command.Run(invocation);
                case Request.Explain question:
                    var help = new Help(Terminal.IsTerminal(FileDescriptor.StandardOutput) && Terminal.GetSize(FileDescriptor.StandardOutput).Columns is > 0 and var width ? width : null);
                    Output.Write(question.Command is { } command ? help.For(command) : help.Overview(this, question.Group));
                    return question.IsAsked ? 0 : NoCommand;
                default:
                    throw new InvalidOperationException("a request of another kind");
            }
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

    /// <summary>For shells: what the last of the words may become. What is in the way of knowing is not told amid a line that somebody writes.</summary>
    int Complete(string[] words)
    {
        if (Completion.Of(this, words, out var other) is { } completion)
        {
            Output.Write($"{completion}");
            return 0;
        }

        return Become(InstalledPrograms.Find(other!), [Completion.Verb, .. words]);
    }

    int WriteManual(string directory, string date)
    {
        foreach (var (name, page) in ManualPage.Of(this, date))
        {
            Files.WriteAll(FileDescriptor.WorkingDirectory, $"{directory}/{name}", page);
        }

        return 0;
    }

    static int Become(string program, string[] arguments) => throw Processes.Execute(program, [ProgramName.For(program), .. arguments], Processes.Environment());
}
