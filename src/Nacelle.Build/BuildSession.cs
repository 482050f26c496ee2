using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>What the steps of one build share.</summary>
sealed record BuildSession(
    Containerfile File, BuildOptions Options, BuildHost Host, ImageStore Store, PodStore Pods, BuildCache Cache, BuildWork Work, SourceTree Context, Variables Variables,
    CancellationToken Cancellation)
{
    readonly Dictionary<string, StageRoot> views = new(StringComparer.Ordinal);

    /// <summary>The stages that are finished, by their numbers.</summary>
    public Dictionary<int, StageState> Finished { get; } = [];

    /// <summary>When what is made now was made.</summary>
    public DateTimeOffset Now =>
        Options.Time is { } time ? DateTimeOffset.FromUnixTimeSeconds(time.Seconds) : DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    /// <summary>A key with what every layer depends on: those below it, the times that its files get, and how its blob is compressed.</summary>
    public StepKey Key(string kind, StageState stage) => new StepKey()
        .Add("nacelle 1").Add(kind).Add(stage.DiffIds.Select(diffId => diffId.ToString()))
        .Add(Options.Compression.ToString()).Add(Options.Time is null ? -1 : Options.Time.Seconds).Add(Options.Time?.All == true ? 1 : 0);

    public CachedStep? Find(Digest key) => Options.NoCache ? null : Cache.Find(key);

    public void SayIfCached(CachedStep? step)
    {
        if (step is not null)
        {
            Host.Say("--> cached");
        }
    }

    /// <summary>The stage or image that <c>--from</c> means.</summary>
    public StageState StageOf(string from, int before)
    {
        if (File.FindStage(from, before) is { } stage)
        {
            return Finished.GetValueOrDefault(stage.Index) ?? throw new BuildException($"--from={from}: only variables that stand before the first FROM can name a stage");
        }

        var image = FindImage(from);
        return StageState.Of(image, Store.ReadManifest(image), Store.ReadConfig(image));
    }

    public StoredImage FindImage(string name) =>
        Host.FindImage(name) is { IsAci: false } image ? image : throw new BuildException($"'{name}' is an appc image, which has no layers to build on");

    /// <summary>The files of a stage or image; mounted once, and never written to by anybody.</summary>
    public SourceTree TreeOf(StageState state, string from)
    {
        var name = string.Join(' ', state.DiffIds);
        if (!views.TryGetValue(name, out var view))
        {
            views[name] = view = StageRoot.Mount(this, state.DiffIds);
        }

        return new SourceTree(view.Root, IgnorePatterns.None, IsContext: false, $"'{from}'");
    }

    /// <summary>Makes a layer of the changes in <c>upper</c> of a directory, and remembers it.</summary>
    public CachedStep Commit(StageState stage, Digest key, FileDescriptor changes)
    {
        var content = new LayerContent { Time = Options.Time, Root = RootDiffers(stage, changes) };
        var step = new CachedStep(LayerCreation.FromChanges(Store, changes, "upper", content, Options.Compression, Cancellation), Now);
        Cache.Add(key, step);
        return step;
    }

    /// <summary>Reads a stage's files without mounting it.</summary>
    public T Read<T>(StageState stage, Func<LayeredFiles, T> read)
    {
        var layers = PodPreparation.OpenLayers(Store.Layers, stage.DiffIds, Host.Check);
        try
        {
            return read(new LayeredFiles(layers));
        }
        finally
        {
            foreach (var layer in layers)
            {
                layer.Dispose();
            }
        }
    }

    public void CloseViews()
    {
        foreach (var view in views.Values)
        {
            view.Dispose();
        }
    }

    bool RootDiffers(StageState stage, FileDescriptor changes)
    {
        using var upper = Files.Open(changes, "upper", OpenFlags.ReadOnly | OpenFlags.Directory);
        var now = Files.Status(upper);
        var before = Read(stage, files => files.TryEntry(""));
        return (now.Permissions, now.Owner, now.Group) != (before?.Permissions ?? 0x1ED, before?.Owner ?? 0, before?.Group ?? 0);
    }
}
