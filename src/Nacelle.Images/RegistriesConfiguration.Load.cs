using Nacelle.Linux;

namespace Nacelle.Images;

public sealed partial record RegistriesConfiguration
{
    /// <summary>
    /// Reads what <c>$CONTAINERS_REGISTRIES_CONF</c> names, alone; else the user's <c>registries.conf</c> or that of /etc/containers, then the files of
    /// <c>registries.conf.d</c> in both places, and at last the aliases that tools have noted for the user.
    /// </summary>
    /// <exception cref="Specs.SpecException">A file is malformed.</exception>
    /// <exception cref="KernelException">The file that the environment names cannot be read.</exception>
    public static RegistriesConfiguration Load()
    {
        var configuration = Empty;
        string? home = Variable("HOME");
        string? own = Variable("XDG_CONFIG_HOME") is { } config ? $"{config}/containers" : home is null ? null : $"{home}/.config/containers";
        if (Variable("CONTAINERS_REGISTRIES_CONF") is { } chosen)
        {
            var text = System.Text.Encoding.UTF8.GetString(Files.ReadAll(FileDescriptor.WorkingDirectory, chosen));
            configuration = configuration.With(RegistriesFile.Parse(text, chosen), chosen);
        }
        else
        {
            string system = "/etc/containers", main = own is not null && Exists($"{own}/registries.conf") ? own : system;
            configuration = configuration.WithFile($"{main}/registries.conf");
            foreach (string directory in own is null ? [system] : new[] { system, own })
            {
                var names = Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, $"{directory}/registries.conf.d").Select(entry => entry.Name);
                foreach (string name in names.Where(name => name.EndsWith(".conf", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
                {
                    configuration = configuration.WithFile($"{directory}/registries.conf.d/{name}");
                }
            }
        }

        string? cache = Processes.IsRoot ? "/var/cache" : Variable("XDG_CACHE_HOME") ?? (home is null ? null : $"{home}/.cache");
        return cache is null ? configuration : configuration.WithFile($"{cache}/containers/short-name-aliases.conf");
    }

    RegistriesConfiguration WithFile(string path) =>
        Files.TryReadText(FileDescriptor.WorkingDirectory, path) is { } text ? With(RegistriesFile.Parse(text, path), path) : this;

    static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    static bool Exists(string path) => Files.Exists(FileDescriptor.WorkingDirectory, path);
}
