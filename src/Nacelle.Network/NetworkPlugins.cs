using System.Text.Json;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>The plug-ins that there are: programs in the user's directories, those that are built in, programs in the system's directories, in this order.</summary>
/// <param name="UserPath">Directories whose programs come before what is built in.</param>
public sealed record NetworkPlugins(IReadOnlyList<string> UserPath)
{
    /// <summary>Where the project itself and distributions install them.</summary>
    public static IReadOnlyList<string> SystemPath { get; } = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];

    /// <summary>Those that take no process.</summary>
    public IReadOnlyList<NetworkPlugin> BuiltIn { get; init; } = BuiltInPlugins.All;

    /// <summary>Of each call of a program, which is killed then.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>All directories: what programs are told as CNI_PATH.</summary>
    public IReadOnlyList<string> Path => [.. UserPath, .. SystemPath];

    /// <summary>Finds a plug-in, or one that another leaves part of its work to, as addresses (IPAM).</summary>
    /// <param name="type">See <see cref="Specs.NetworkName.IsPlugin"/>.</param>
    /// <param name="configuration">The plug-in's object: what is built in may leave some to the program of its name.</param>
    /// <exception cref="NetworkException">There is none.</exception>
    public NetworkPlugin Find(string type, JsonElement configuration)
    {
        if (FindProgram(type, UserPath) is { } chosen)
        {
            return chosen;
        }

        var builtIn = BuiltIn.FirstOrDefault(plugin => plugin.Type == type);
        string? reason = builtIn?.NeedsProgram?.Invoke(SpecNode.Of(configuration));
        if (builtIn is not null && reason is null)
        {
            return builtIn;
        }

        return FindProgram(type, SystemPath) ?? throw new NetworkException(
            NetworkException.InvalidConfiguration,
            builtIn is null ? $"there is none of that name built in, nor in {string.Join(", ", Path)}" : $"its configuration takes the program of that name, which is in none of {string.Join(", ", Path)}: {reason}");
    }

    NetworkPlugin? FindProgram(string type, IReadOnlyList<string> directories)
    {
        foreach (var directory in directories)
        {
            string path = $"{directory}/{type}";
            using var file = Files.TryOpen(FileDescriptor.WorkingDirectory, path, OpenFlags.Path, out _);
            if (file is not null && Files.Status(file).Kind == FileKind.Regular)
            {
                return PluginProgram.At(path, Timeout);
            }
        }

        return null;
    }
}
