namespace Nacelle.CommandLine.Tests;

/// <summary>Commands such as ours, for what is said of all.</summary>
static class SampleCommands
{
    public static readonly Option Policy = new("policy", "new|update|never", "when to ask"), Quiet = new("quiet", null, "say less"), FromFile = new("uuid-file", "FILE", "read it") { IsWord = true };

    public static readonly Option Caps = new("caps", "CAPABILITY,…", "keep these") { Choices = ["chown", "kill", "net-raw"] }, App = new("app", "NAME", "the app"), Short = new("t", "NAME", "a name");

    public static readonly Command
        Run = new("run", "[FLAGS] IMAGE [IMAGE'S FLAGS] [-- ARGUMENT… [---]] …", "run images", [Policy, Quiet, Caps, new Option("old", null, "") { IsHidden = true }], _ => 0),
        RunPrepared = new("run-prepared", "[FLAGS] UUID", "run what was prepared", [Quiet], _ => 0),
        Enter = new("enter", "[--app=NAME] UUID [COMMAND [ARGUMENT…]]", "run a command inside", [App, FromFile], _ => 0) { WordsBeforeLiteral = 2 },
        Remove = new("rm", "UUID…", "remove pods", [FromFile], _ => 0),
        ImageList = new("image list", "[FLAGS]", "list images", [Quiet], _ => 0),
        ImageRemove = new("image rm", "IMAGE…", "remove images", [], _ => 0),
        ImageRender = new("image render", "[FLAGS] IMAGE DIRECTORY", "write files", [Short], _ => 0) { Description = "Writes all files.\n-- and 'this' stay." },
        Fetch = Command.Of("sample-fetch", "fetch", "fetch images"),
        Script = new("completion", "bash|zsh", "print a script", [], _ => 0),
        Hidden = new("internal", "[FLAGS]", "for others", [], _ => 0) { IsHidden = true };

    public static readonly CommandProgram Program = new(
        "nacelle", "does this and that", [Run, RunPrepared, Enter, Remove, ImageList, ImageRemove, ImageRender, Fetch, Script, Hidden], _ => false)
    {
        Values = (invocation, what) => what == "IMAGE" ? [("docker://some/image:1", "abc"), ("example.com/app", "def")]
            : what == "UUID" ? [($"{invocation.Command.Name}-able", "running")]
            : what == "--app" && invocation.Words is [var uuid] ? [($"app-of-{uuid}", "")] : [],
    };

    public static Request Parse(params string[] arguments) => Grammar.Parse(Program.Commands, GlobalFlags.All, arguments);

    public static Invocation Invoke(params string[] arguments) => Assert.IsType<Request.Do>(Parse(arguments)).Invocation;
}
