using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>What a stage has come to so far: an image in the making.</summary>
sealed class StageState
{
    public const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    static readonly string[] DefaultShell = ["/bin/sh", "-c"];

    public ImageRunConfig Config { get; set; } = new();

    public string? Author { get; set; }

    public List<Descriptor> Blobs { get; } = [];

    public List<Digest> DiffIds { get; } = [];

    /// <summary>Entries of this build that make no layer have no time yet.</summary>
    public List<ImageHistory> History { get; } = [];

    /// <summary>The ARGs that this stage has named, with their values; null where they have none.</summary>
    public Dictionary<string, string?> Arguments { get; } = new(StringComparer.Ordinal);

    /// <summary>The image that all begins with: its name and manifest; null for scratch.</summary>
    public (string Name, Digest Manifest)? Base { get; set; }

    /// <summary>What the next entry of the history tells of where it comes from.</summary>
    public string? Comment { get; set; }

    /// <summary>CMD was said in this build, so an ENTRYPOINT does not take it away.</summary>
    public bool CommandIsOwn { get; set; }

    public IReadOnlyList<string> Shell => Config.Shell.Count > 0 ? Config.Shell : DefaultShell;

    public string WorkingDirectory => Config.WorkingDir.Length > 0 ? Config.WorkingDir : "/";

    public static StageState Scratch() => new() { Config = new ImageRunConfig { Env = [DefaultPath] } };

    public static StageState Of(StoredImage image, ImageManifest manifest, ImageConfig config)
    {
        var state = new StageState
        {
            Author = config.Author,
            Base = (image.DisplayName, image.Id),
            Comment = $"FROM {image.DisplayName}",
            Config = config.Config with
            {
                Env = config.Config.Env.Any(variable => variable.StartsWith("PATH=", StringComparison.Ordinal)) ? config.Config.Env : [DefaultPath, .. config.Config.Env],
                OnBuild = [],
            },
        };
        state.Blobs.AddRange(manifest.Layers);
        state.DiffIds.AddRange(config.Rootfs.DiffIds);
        state.History.AddRange(config.History);
        return state;
    }

    /// <summary>The same for a stage that goes on from here.</summary>
    public StageState Fork()
    {
        var state = new StageState { Config = Config, Author = Author, Base = Base, Comment = Comment };
        state.Blobs.AddRange(Blobs);
        state.DiffIds.AddRange(DiffIds);
        state.History.AddRange(History);
        return state;
    }

    /// <summary>A variable's value: ENV wins over ARG.</summary>
    public string? Lookup(string name)
    {
        foreach (var variable in Config.Env)
        {
            if (variable.Length > name.Length && variable[name.Length] == '=' && variable.StartsWith(name, StringComparison.Ordinal))
            {
                return variable[(name.Length + 1)..];
            }
        }

        return Arguments.GetValueOrDefault(name);
    }

    public void SetVariable(string name, string value)
    {
        var variables = Config.Env.ToList();
        int at = variables.FindIndex(variable => variable.StartsWith(name + "=", StringComparison.Ordinal));
        if (at < 0)
        {
            variables.Add($"{name}={value}");
        }
        else
        {
            variables[at] = $"{name}={value}";
        }

        Config = Config with { Env = variables };
    }

    /// <summary>What a command sees: the image's environment, and the ARGs that have a value and are not hidden by it.</summary>
    public List<string> CommandEnvironment() => [.. Config.Env, .. VisibleArguments()];

    public IEnumerable<string> VisibleArguments() => Arguments
        .Where(argument => argument.Value is not null && !Config.Env.Any(variable => variable.StartsWith(argument.Key + "=", StringComparison.Ordinal)))
        .OrderBy(argument => argument.Key, StringComparer.Ordinal)
        .Select(argument => $"{argument.Key}={argument.Value}");

    public void Add(string createdBy, CachedStep? step)
    {
        if (step?.Layer is { } layer)
        {
            Blobs.Add(layer.Blob);
            DiffIds.Add(layer.DiffId);
        }

        History.Add(new ImageHistory
        {
            Created = step?.Layer is null ? null : ImageAssembly.Format(step.Created),
            CreatedBy = createdBy,
            Author = Author,
            Comment = Comment,
            EmptyLayer = step?.Layer is null,
        });
        Comment = null;
    }
}
