using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>Builds an image from a Containerfile: its stages in order, those that are not needed left out.</summary>
/// <remarks>
/// To be called on the process's main thread, alone: it mounts in a namespace of that thread. All that a build leaves when it is killed are directories
/// that the next build, or collecting, removes; what it has finished so far is in the cache.
/// </remarks>
public sealed class Builder
{
    readonly BuildSession session;
    readonly int total;
    readonly IReadOnlyList<Stage> needed;
    int number;

    Builder(BuildSession session, IReadOnlyList<Stage> needed)
    {
        this.session = session;
        this.needed = needed;
        total = needed.Sum(stage => stage.Instructions.Count + 1);
    }

    /// <param name="file">From <see cref="Containerfile.Parse"/>.</param>
    /// <param name="names">What the image shall be called; may be empty.</param>
    /// <exception cref="SpecException">An instruction is wrong or fails: <c>file:line: what</c>.</exception>
    /// <exception cref="OperationCanceledException">Nothing is left but what is cached.</exception>
    public static StoredImage Build(
        Containerfile file, BuildOptions options, BuildHost host, string dataDirectory, IReadOnlyList<ImageReference> names, CancellationToken cancellation)
    {
        Mounts.EnterPrivateNamespace();
        using var store = ImageStore.Open(dataDirectory);
        using var pods = new PodStore(dataDirectory);
        using var cache = new BuildCache(store);
        using var held = store.HoldContent();
        using var work = BuildWork.Create(store);
        using var context = Files.Open(options.Context, OpenFlags.ReadOnly | OpenFlags.Directory);
        var tree = new SourceTree(context, IgnorePatterns.Find(context, options.File), IsContext: true, "the context");
        var target = options.Target is null ? file.Stages[^1]
            : file.FindStage(options.Target, file.Stages.Count) ?? throw new SpecException(file.Name, $"has no stage '{options.Target}'");
        var variables = new Variables(options.Arguments, options.Target);
        var session = new BuildSession(file, options, host, store, pods, cache, work, tree, variables, cancellation);
        foreach (var argument in file.Globals)
        {
            At(file, argument, () => variables.Declare(argument, file.Escape));
        }

        try
        {
            var builder = new Builder(session, NeededStages.Of(file, target, variables));
            builder.BuildStages();
            foreach (var unused in variables.Unused)
            {
                host.Say($"warning: no ARG asks for --build-arg {unused}");
            }

            return new ImageAssembly(store, cache, options).StoreAsync(session.Finished[target.Index], names, cancellation).GetAwaiter().GetResult();
        }
        finally
        {
            session.CloseViews();
        }
    }

    void BuildStages()
    {
        foreach (var stage in needed)
        {
            StageState? state = null;
            Step(stage.From, $"{stage.From.Text}", () => state = Begin(stage));
            var expansion = new Expansion(state!.Lookup, session.File.Escape);
            foreach (var instruction in stage.Instructions)
            {
                Step(instruction, instruction.Text, () => Do(instruction, state, stage.Index, expansion));
            }

            session.Finished[stage.Index] = state;
        }
    }

    StageState Begin(Stage stage)
    {
        var image = new Expansion(session.Variables.Global, session.File.Escape).Word(stage.From.Image);
        if (stage.From.Platform is { } text && Platform.Parse(new Expansion(session.Variables.Global, session.File.Escape).Word(text)) is var platform
            && Platform.Current.Distance(platform) is null)
        {
            throw new BuildException($"--platform={platform}: commands can only be run for {Platform.Current} here");
        }

        if (session.File.FindStage(image, stage.Index) is { } earlier)
        {
            return session.Finished[earlier.Index].Fork();
        }

        if (image == "scratch")
        {
            return StageState.Scratch();
        }

        var found = session.FindImage(image);
        var config = session.Store.ReadConfig(found);
        var state = StageState.Of(found, session.Store.ReadManifest(found), config);
        foreach (var trigger in config.Config.OnBuild)
        {
            DoTrigger(trigger, state, found, stage.Index);
        }

        return state;
    }

    /// <summary>An instruction that the base image has left for those who build on it.</summary>
    void DoTrigger(string trigger, StageState state, StoredImage image, int stageIndex)
    {
        var parsed = Containerfile.Parse($"ONBUILD of {image.DisplayName}", System.Text.Encoding.UTF8.GetBytes($"FROM scratch\n{trigger}\n"));
        session.Host.Say($"ONBUILD {trigger.Split('\n')[0]}");
        foreach (var instruction in parsed.Stages[0].Instructions)
        {
            Do(instruction, state, stageIndex, new Expansion(state.Lookup, '\\'));
        }
    }

    void Do(Instruction instruction, StageState state, int stageIndex, Expansion expansion)
    {
        switch (instruction)
        {
            case RunInstruction run:
                new RunStep(session, state, stageIndex).Do(run, expansion);
                break;
            case CopyInstruction copy:
                new CopyStep(session, state, stageIndex).Do(copy, expansion);
                break;
            default:
                new ConfigStep(session, state).Do(instruction, expansion);
                break;
        }
    }

    void Step(Instruction instruction, string text, Action act)
    {
        session.Cancellation.ThrowIfCancellationRequested();
        session.Host.Say($"[{++number}/{total}] {text}");
        At(session.File, instruction, act);
    }

    static void At(Containerfile file, Instruction instruction, Action act)
    {
        try
        {
            act();
        }
        catch (Exception problem) when (problem is BuildException or PodException or ImageException or LayerException or KernelException)
        {
            throw new SpecException($"{file.Name}:{instruction.Line}", $"{instruction.Keyword}: {problem.Message}");
        }
        catch (ExpansionException problem)
        {
            throw new SpecException($"{file.Name}:{instruction.Line}", $"{instruction.Keyword} {problem.Message}");
        }
        catch (SpecException problem)
        {
            throw problem.In($"{file.Name}:{instruction.Line}");
        }
    }
}
