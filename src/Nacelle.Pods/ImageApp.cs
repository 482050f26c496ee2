using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What an OCI or Docker image's config means in appc's terms, so that all images are apps alike.</summary>
/// <remarks>As rkt did by docker2aci: volumes become mount points, exposed ports become ports.</remarks>
static class ImageApp
{
    /// <summary>Where the config's stop signal is kept; appc has no field for it.</summary>
    public const string StopSignalAnnotation = "nacelle/stop-signal";

    public static AppImageManifest Convert(StoredImage image, ImageConfig config)
    {
        var run = config.Config;
        var (user, group) = SplitUser(run.User);
        var annotations = new List<Annotation> { new("appc.io/docker/manifesthash", image.Id.ToString()), new("appc.io/docker/originalname", image.Name) };
        if (config.Created is { } created)
        {
            annotations.Add(new("created", created));
        }

        if (run.StopSignal is { Length: > 0 } signal)
        {
            annotations.Add(new(StopSignalAnnotation, signal));
        }

        return new AppImageManifest
        {
            Name = NameWithoutTag(image.DisplayName),
            Labels = [new("os", config.Os), new("arch", config.Platform.AppcArchitecture), new("version", image.Id.ToString())],
            Annotations = annotations,
            App = new App
            {
                Exec = [.. run.Entrypoint, .. run.Cmd],
                User = user,
                Group = group,
                WorkingDirectory = run.WorkingDir.Length > 0 ? run.WorkingDir : null,
                Environment = [.. run.Env.Select(ToVariable)],
                MountPoints = [.. run.Volumes.Order(StringComparer.Ordinal).Select(path => new MountPoint { Name = AppName.From("volume-" + path), Path = path })],
                Ports = [.. run.ExposedPorts.Order(StringComparer.Ordinal).SelectMany(ToPort)],
                UserLabels = run.Labels.Count > 0 ? run.Labels : null,
            },
        };
    }

    static (string User, string Group) SplitUser(string user)
    {
        if (user.Length == 0)
        {
            return ("0", "0");
        }

        int colon = user.IndexOf(':');
        return colon < 0 ? (user, "") : (user[..colon], user[(colon + 1)..]);
    }

    static Annotation ToVariable(string variable)
    {
        int equals = variable.IndexOf('=');
        return equals < 0 ? new(variable, "") : new(variable[..equals], variable[(equals + 1)..]);
    }

    static IEnumerable<AppPort> ToPort(string exposed)
    {
        int slash = exposed.IndexOf('/');
        var protocol = slash < 0 ? "tcp" : exposed[(slash + 1)..];
        return uint.TryParse(slash < 0 ? exposed : exposed[..slash], out uint port)
            ? [new AppPort { Name = AppName.Parse($"{port}-{protocol}", "ports"), Protocol = protocol, Port = port }]
            : [];
    }

    static string NameWithoutTag(string name)
    {
        int at = name.IndexOf('@');
        name = at < 0 ? name : name[..at];
        int colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf('/') ? name[..colon] : name;
    }
}
