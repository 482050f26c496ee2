namespace Nacelle.Oci;

/// <param name="Usage">What follows the command's name.</param>
/// <param name="Waits">It may stand in front of a process and pass signals on, which it takes from a descriptor: all its threads have them blocked.</param>
/// <param name="EntersContainer">Processes of ours run inside the container: see <see cref="Linux.SealedExecutable"/>.</param>
/// <param name="ErrorCode">The exit code when it fails.</param>
sealed record Command(string Name, string Usage, string Summary, IReadOnlyList<Option> Options, Func<GlobalOptions, Arguments, int> Run, bool EntersContainer = false, bool Waits = false, int ErrorCode = 1);

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
