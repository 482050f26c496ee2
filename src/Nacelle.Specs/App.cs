using System.Text.Json;

namespace Nacelle.Specs;

/// <summary>What an app runs, as whom, where and within which bounds.</summary>
/// <remarks>appc 0.8.11, spec/aci.md, "app".</remarks>
public sealed record App
{
    public IReadOnlyList<string> Exec { get; init; } = [];

    /// <summary>A name or number of the image's, or an absolute path whose owner is meant.</summary>
    public required string User { get; init; }

    public required string Group { get; init; }

    public IReadOnlyList<uint> SupplementaryGroups { get; init; } = [];

    /// <summary>Programs beside the app's own: <c>pre-start</c> and <c>post-stop</c>.</summary>
    public IReadOnlyList<AppEventHandler> EventHandlers { get; init; } = [];

    public string? WorkingDirectory { get; init; }

    public IReadOnlyList<Annotation> Environment { get; init; } = [];

    public IReadOnlyList<MountPoint> MountPoints { get; init; } = [];

    public IReadOnlyList<AppPort> Ports { get; init; } = [];

    public IReadOnlyList<Isolator> Isolators { get; init; } = [];

    public IReadOnlyDictionary<string, string>? UserAnnotations { get; init; }

    public IReadOnlyDictionary<string, string>? UserLabels { get; init; }

    /// <summary>What an image's manifest must keep to, beyond what a pod's must.</summary>
    internal void CheckImage(string path)
    {
        Check(path);
        CheckName(User, $"{path}.user");
        CheckName(Group, $"{path}.group");
        for (int i = 0; i < EventHandlers.Count; i++)
        {
            var (name, exec) = EventHandlers[i];
            if (name is not ("pre-start" or "post-stop") || EventHandlers.Take(i).Any(other => other.Name == name))
            {
                throw new SpecException($"{path}.eventHandlers[{i}].name", $"'{name}' is not one of pre-start and post-stop, each once");
            }

            if (exec.Count == 0 || exec[0].Length == 0)
            {
                throw new SpecException($"{path}.eventHandlers[{i}].exec", "names no program");
            }
        }

        for (int i = 0; i < Environment.Count; i++)
        {
            if (!IsVariable(Environment[i].Name))
            {
                throw new SpecException($"{path}.environment[{i}].name", $"'{Environment[i].Name}' cannot name a variable");
            }
        }

        CheckTwins(MountPoints.Select(point => point.Name), $"{path}.mountPoints");
        CheckTwins(Ports.Select(port => port.Name), $"{path}.ports");
        for (int i = 0; i < Ports.Count; i++)
        {
            Ports[i].Check($"{path}.ports[{i}]");
        }
    }

    static void CheckName(string text, string path)
    {
        if (text.Length == 0)
        {
            throw new SpecException(path, "is empty: give a name, a number, or a file whose owner is meant");
        }
    }

    static void CheckTwins(IEnumerable<AppName> names, string path)
    {
        var seen = new HashSet<AppName>();
        foreach (var name in names)
        {
            if (!seen.Add(name))
            {
                throw new SpecException(path, $"'{name}' stands twice");
            }
        }
    }

    /// <summary>schema/types/environment.go.</summary>
    static bool IsVariable(string name) =>
        name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_') && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or '-');

    internal void Check(string path)
    {
        if (WorkingDirectory is { Length: > 0 } directory && !directory.StartsWith('/'))
        {
            throw new SpecException($"{path}.workingDirectory", $"'{directory}' is not an absolute path");
        }

        for (int i = 0; i < MountPoints.Count; i++)
        {
            if (!MountPoints[i].Path.StartsWith('/'))
            {
                throw new SpecException($"{path}.mountPoints[{i}].path", $"'{MountPoints[i].Path}' is not an absolute path");
            }
        }
    }
}

/// <summary>A program that runs in the app's environment when something happens to the app.</summary>
/// <param name="Name"><c>pre-start</c> or <c>post-stop</c>.</param>
/// <remarks>appc 0.8.11, spec/aci.md, "eventHandlers".</remarks>
public sealed record AppEventHandler(string Name, IReadOnlyList<string> Exec);

/// <summary>A path where the app expects a volume.</summary>
public sealed record MountPoint
{
    public required AppName Name { get; init; }

    public required string Path { get; init; }

    public bool ReadOnly { get; init; }
}

/// <summary>A port that the app listens on.</summary>
public sealed record AppPort
{
    public required AppName Name { get; init; }

    /// <summary>tcp, udp or sctp.</summary>
    public required string Protocol { get; init; }

    public uint Port { get; init; }

    public uint Count { get; init; } = 1;

    public bool SocketActivated { get; init; }

    internal void Check(string path)
    {
        if (Protocol is not ("tcp" or "udp" or "sctp") || Port is 0 or > 65535 || Count == 0 || Port + Count - 1 > 65535)
        {
            throw new SpecException(path, "is not a range of ports from 1 to 65535 of tcp, udp or sctp");
        }
    }
}

/// <summary>A bound on what an app or pod may use or do; the value's shape depends on the name.</summary>
/// <remarks>appc 0.8.11, spec/ace.md, "Isolators".</remarks>
public sealed record Isolator(string Name, JsonElement Value);
