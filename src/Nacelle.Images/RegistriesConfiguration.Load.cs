using System.Text;
using Nacelle.Linux;

namespace Nacelle.Images;

public sealed partial record RegistriesConfiguration
{
    /// <summary>
    /// Reads <c>registries.conf</c>: the file that <c>$CONTAINERS_REGISTRIES_CONF</c> names, else the user's, else that of /etc/containers; then the files of
    /// <c>registries.conf.d</c>, the machine's (unless the user has a file) and the user's; and at last the aliases that podman has noted.
    /// </summary>
    /// <exception cref="Specs.SpecException">A file is malformed.</exception>
    /// <exception cref="KernelException">The file that the environment names cannot be read.</exception>
    public static RegistriesConfiguration Load()
    {
        string? home = Variable("HOME");
        return Load(
            Variable("CONTAINERS_REGISTRIES_CONF"),
            "/etc/containers",
            Variable("XDG_CONFIG_HOME") is { } config ? $"{config}/containers" : home is null ? null : $"{home}/.config/containers",
            (Processes.IsRoot && UserNamespaces.IsInitial ? "/var/cache" : Variable("XDG_CACHE_HOME") ?? (home is null ? null : $"{home}/.cache")) is { } cache ? $"{cache}/containers" : null);
    }

    /// <param name="chosen">A file that takes the place of both <c>registries.conf</c>.</param>
    /// <param name="system">The machine's directory.</param>
    /// <param name="own">The user's.</param>
    /// <param name="cache">Where podman notes aliases.</param>
    /// <remarks>The order is that of github.com/containers/image, pkg/sysregistriesv2.</remarks>
    internal static RegistriesConfiguration Load(string? chosen, string system, string? own, string? cache)
    {
        var configuration = Empty;
        bool isOwn = chosen is null && own is not null && Files.Exists(FileDescriptor.WorkingDirectory, $"{own}/registries.conf");
        configuration = chosen is not null
            ? configuration.With(RegistriesFile.Parse(Encoding.UTF8.GetString(Files.ReadAll(FileDescriptor.WorkingDirectory, chosen)), chosen), chosen)
            : configuration.WithFile($"{(isOwn ? own : system)}/registries.conf");
        foreach (string directory in new[] { isOwn ? null : system, own }.OfType<string>())
        {
            var names = Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, $"{directory}/registries.conf.d").Select(entry => entry.Name);
            foreach (string name in names.Where(name => name.EndsWith(".conf", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            {
                configuration = configuration.WithFile($"{directory}/registries.conf.d/{name}");
            }
        }

        return cache is null ? configuration : configuration.WithFile($"{cache}/short-name-aliases.conf");
    }

    RegistriesConfiguration WithFile(string path) =>
        Files.TryReadText(FileDescriptor.WorkingDirectory, path) is { } text ? With(RegistriesFile.Parse(text, path), path) : this;

    static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
