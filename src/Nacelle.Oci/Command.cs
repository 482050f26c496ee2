namespace Nacelle.Oci;

/// <param name="Usage">What follows the command's name.</param>
/// <param name="ErrorCode">The exit code when it fails.</param>
sealed record Command(string Name, string Usage, string Summary, IReadOnlyList<Option> Options, Func<GlobalOptions, Arguments, int> Run, int ErrorCode = 1);

static class Commands
{
    public static readonly IReadOnlyList<Command> All =
    [
        CreateCommand.Definition, StartCommand.Definition, RunCommand.Definition, ExecCommand.Definition, StateCommand.Definition, ListCommand.Definition,
        ProcessesCommand.Definition, KillCommand.Definition, DeleteCommand.Definition, PauseCommand.Definition,
        ResumeCommand.Definition, UpdateCommand.Definition, EventsCommand.Definition, FeaturesCommand.Definition, SpecCommand.Definition,
    ];

    public static Command? Find(string? name) => All.FirstOrDefault(command => command.Name == name);
}
