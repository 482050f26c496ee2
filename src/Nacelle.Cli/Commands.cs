using Nacelle.CommandLine;

namespace Nacelle.Cli;

/// <summary>All commands, in the order of the help.</summary>
static class Commands
{
    public static readonly IReadOnlyList<Command> All =
    [
        Command.Of(Fetching.Program, "fetch", "fetch images into the store"), Command.Of(Fetching.Program, "trust", "trust keys that sign images"),
        Command.Of("nacelle-build", "build", "make an image from a Containerfile"),
        RunCommand.Definition, PrepareCommand.Definition, RunPreparedCommand.Definition, ListCommand.Definition,
        StatusCommand.Definition, EnterCommand.Definition, StopCommand.Definition, RemoveCommand.Definition, CollectCommand.Definition,
        CatManifestCommand.Definition, ImageListCommand.Definition, ImageCatManifestCommand.Definition,
        ImageExportCommand.Definition, ImageRenderCommand.Extract, ImageRenderCommand.Render, ImageVerifyCommand.Definition, ImageCollectCommand.Definition, ImageRemoveCommand.Definition,
        ConfigCommand.Definition, VersionCommand.Definition,
    ];
}
