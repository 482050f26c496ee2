using Nacelle.CommandLine;

namespace Nacelle.Cli;

/// <summary>All commands, in the order of the help.</summary>
static class Commands
{
    public static readonly IReadOnlyList<Command> All = [.. Defined().Select(command => command with { ActsAsRoot = ActAsRoot.Contains(command.Name) })];

    /// <summary>What works with files of several users, or with namespaces.</summary>
    static IReadOnlyList<string> ActAsRoot =>
    [
        "fetch", "build", "run", "prepare", "run-prepared", "enter", "attach", "stop", "rm", "gc", "cp", "export", "app add", "app exec", "app rm", "app sandbox", "app start", "app stop",
        "image fetch", "image copy", "image export", "image extract", "image gc", "image rm", "image render", "image verify", "network check", "network gc",
    ];

    static IEnumerable<Command> Defined() =>
    [
        Command.Of(FetchProgram.Name, "fetch", "fetch images into the store"), Command.Of(FetchProgram.Name, "trust", "trust keys that sign images"),
        Command.Of("nacelle-build", "build", "make an image from a Containerfile"),
        Command.Of("nacelle-node", "api-service", "tell of pods and images over gRPC, as rkt's API service did"),
        Command.Of("nacelle-node", "metadata-service", "tell apps about themselves and their pods, and sign for them"),
        RunCommand.Definition, PrepareCommand.Definition, RunPreparedCommand.Definition, ListCommand.Definition,
        StatusCommand.Definition, EnterCommand.Definition, AttachCommand.Definition, LogsCommand.Definition, TopCommand.Definition, StatsCommand.Definition,
        EventsCommand.Definition, StopCommand.Definition, RemoveCommand.Definition, CollectCommand.Definition,
        CatManifestCommand.Definition, CopyCommand.Definition, ExportCommand.Definition, AppAddCommand.Definition, EnterCommand.Exec, AppListCommand.List, AppStartCommand.Remove, AppSandboxCommand.Definition,
        AppStartCommand.Start, AppListCommand.Status, AppStartCommand.Stop, ImageListCommand.Definition, ImageCatManifestCommand.Definition,
        Command.Of(FetchProgram.Name, "image fetch", "fetch images into the store") with { IsHidden = true },
        Command.Of(FetchProgram.Name, "image copy", "copy an image between registries, the store, layouts and archives"),
        ImageExportCommand.Definition, ImageRenderCommand.Extract, ImageCollectCommand.Definition,
        Command.Of(FetchProgram.Name, "image inspect", "tell about an image, here or in a registry"),
        Command.Of(FetchProgram.Name, "image push", "send an image from the store to a registry"),
        ImageRemoveCommand.Definition, ImageRenderCommand.Render,
        Command.Of(FetchProgram.Name, "image sign", "sign an image"), Command.Of(FetchProgram.Name, "image verify", "check images in the store, and mend them"),
        CompletionCommand.Definition, ConfigCommand.Definition, GenerateSystemdCommand.Definition,
        NetworkCheckCommand.Definition, NetworkCollectCommand.Definition, NetworkInspectCommand.Definition, NetworkListCommand.Definition, VersionCommand.Definition,
    ];
}
