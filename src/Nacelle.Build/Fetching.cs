using Nacelle.CommandLine;
using Nacelle.Images;

namespace Nacelle.Build;

/// <summary>What has to come from elsewhere: images that the store lacks, and what URLs give. nacelle-fetch brings both.</summary>
sealed class Fetching(Invocation invocation, string policy)
{
    readonly string data = GlobalFlags.DataDirectory(invocation);

    /// <summary>The image that a FROM names. A name that does not say where from is one of a registry.</summary>
    public StoredImage FindImage(string text)
    {
        if (policy is not ("new" or "update" or "never"))
        {
            throw new UserException($"--pull-policy={policy}: use new, update or never");
        }

        using var store = ImageStore.Open(data);
        bool local = text.StartsWith("localhost/", StringComparison.Ordinal);
        var image = (policy == "update" && !local ? null : local ? store.Find(text) : FindStored(store, text)) ?? (policy == "never" ? null : Fetch(store, text))
            ?? throw new BuildException($"the image '{text}' is not in the store");
        store.MarkUsed(image);
        return image;
    }

    /// <summary>A Containerfile means the same on every machine and every day: what could be a name is no id's beginning.</summary>
    static StoredImage? FindStored(ImageStore store, string text) => ImageIdText.Parse(text) is { IsCertain: false }
        ? store.FindNamed(text) ?? RegistriesConfiguration.FindStored(store, "docker://" + text)
        : RegistriesConfiguration.FindStored(store, text);

    public void Download(string url, string? checksum, string file) =>
        Run(["download", .. checksum is null ? (string[])[] : [$"--checksum={checksum}"], .. Common(), url, file]);

    StoredImage? Fetch(ImageStore store, string text)
    {
        var name = text.StartsWith('/') || text.StartsWith('.') || text.Contains(":/", StringComparison.Ordinal) ? text : "docker://" + text;
        var id = Run(["fetch", .. Common(), $"--pull-policy={policy}", "--full", name]).Trim();
        return RegistriesConfiguration.FindStored(store, name) ?? store.Find(id);
    }

    IEnumerable<string> Common() => GlobalFlags.Repeat(invocation);

    /// <exception cref="BuildException">nacelle-fetch has failed, and has said why; where in the Containerfile is left to say.</exception>
    static string Run(IReadOnlyList<string> arguments)
    {
        try
        {
            return FetchProgram.Run(arguments);
        }
        catch (AlreadyToldException)
        {
            throw new BuildException("it could not be fetched");
        }
    }
}
