namespace Nacelle.Cli;

/// <summary>All commands, in the order of the help.</summary>
static class Commands
{
    public static readonly IReadOnlyList<Command> All =
    [
        FetchCommand.Definition, RunCommand.Definition, PrepareCommand.Definition, RunPreparedCommand.Definition, ListCommand.Definition,
        StatusCommand.Definition, EnterCommand.Definition, StopCommand.Definition, RemoveCommand.Definition, CollectCommand.Definition,
        CatManifestCommand.Definition, ImageListCommand.Definition, ImageRemoveCommand.Definition, VersionCommand.Definition,
    ];
}
