using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary>Which stage1 a pod gets: by one of five flags, else by the configuration, else the one that comes with us.</summary>
/// <remarks>rkt 1.30, "stage1 selection". Images of stage1 are fetched, checked and stored like any others; the store is asked first.</remarks>
static class Stage1Selection
{
    static readonly Option Path = new("stage1-path", "FILE", "run the pod with the stage1 in this image file");
    static readonly Option Url = new("stage1-url", "URL", "run the pod with the stage1 of this address: https://….aci, docker://…, file://…");
    static readonly Option Name = new("stage1-name", "NAME[:VERSION]", "run the pod with the stage1 image of this name");
    static readonly Option Hash = new("stage1-hash", "ID", "run the pod with the stage1 image that has this id");
    static readonly Option FromDirectory = new("stage1-from-dir", "FILE", "run the pod with this file of the directory for stage1 images, which need not be signed");

    public static readonly IReadOnlyList<Option> Flags = [Path, Url, Name, Hash, FromDirectory];

    /// <returns>Null for the stage1 that comes with us.</returns>
    /// <exception cref="UserException">Two flags contradict each other, or there is no such image.</exception>
    public static Stage1Image? Find(Invocation invocation, ImageStore store)
    {
        var given = Flags.Where(flag => invocation.Value(flag) is not null).ToList();
        if (given.Count > 1)
        {
            throw new UserException($"--{given[0].Name} and --{given[1].Name} exclude each other");
        }

        var image = given.Count == 1 ? ByFlag(invocation, store, given[0], invocation.Value(given[0])!) : ByConfiguration(invocation, store);
        if (image is null)
        {
            return null;
        }

        store.MarkUsed(image);
        return Stage1Image.Read(store, image);
    }

    static StoredImage? ByFlag(Invocation invocation, ImageStore store, Option flag, string value) => flag.Name switch
    {
        _ when value.Length == 0 => throw new UserException($"--{flag.Name} needs a value: --{flag.Name}={flag.ValueName}"),
        "stage1-path" => ByFile(invocation, store, System.IO.Path.GetFullPath(value)),
        "stage1-url" => ByLocation(invocation, store, value.Contains("://", StringComparison.Ordinal) ? value : throw new UserException($"--stage1-url={value}: that is no URL")),
        "stage1-name" => ByName(invocation, store, value),
        "stage1-hash" => store.Find(value) ?? throw new UserException($"--stage1-hash={value}: there is no such image in the store"),
        _ => Trusted(invocation, store, value),
    };

    static StoredImage? ByConfiguration(Invocation invocation, ImageStore store)
    {
        var wanted = Configuration.Read(GlobalFlags.ConfigDirectories(invocation), "stage1.d").Stage1;
        if (wanted.Name is not { } name)
        {
            return wanted.Location is { } place ? ByLocation(invocation, store, place) : null;
        }

        var full = AppcImageName.Of(name, [new("version", wanted.Version!)]);
        return IsOurs(full) ? null
            : store.FindAci(full) is { } stored ? stored
            : wanted.Location is { } location ? ByLocation(invocation, store, location)
            : ByName(invocation, store, full.ToString());
    }

    static StoredImage? ByName(Invocation invocation, ImageStore store, string text)
    {
        var name = AppcImageName.Parse(text);
        if (IsOurs(name))
        {
            return null;
        }

        if (store.FindAci(name) is { } stored)
        {
            return stored;
        }

        // Flavors of ours that were not used yet lie where they were installed.
        const string OurPrefix = "nacelle/";
        if (name.Name.StartsWith(OurPrefix, StringComparison.Ordinal) && Trusted(invocation, store, name.Name[OurPrefix.Length..] + ".aci") is var installed
            && AppcImageName.Parse(installed.Name) is var found && name.Matches(found.Name, found.Labels))
        {
            return installed;
        }

        return AppcImageName.LooksLikeOne(text) ? Fetch(invocation, store, text, trusted: false) : throw new UserException($"the stage1 image {text} is not in the store");
    }

    static bool IsOurs(AppcImageName name) => name.Matches(Stage1Linux.Name, [new("version", ProductVersion.Text), new("os", "linux")]);

    static StoredImage ByLocation(Invocation invocation, ImageStore store, string location) =>
        location.StartsWith('/') ? ByFile(invocation, store, location)
        : location.StartsWith("file://", StringComparison.Ordinal) ? ByFile(invocation, store, location["file://".Length..])
        : RegistriesConfiguration.FindStored(store, location) ?? Fetch(invocation, store, location, trusted: false);

    /// <summary>A file that lies in the directory for stage1 images is trusted as if it were named within that.</summary>
    static StoredImage ByFile(Invocation invocation, ImageStore store, string path) =>
        !File.Exists(path) ? throw new UserException($"there is no stage1 image {path}")
        : System.IO.Path.GetDirectoryName(path) == Stage1Directory.TryFind(invocation) ? Trusted(invocation, store, System.IO.Path.GetFileName(path))
        : Fetch(invocation, store, path, trusted: false);

    /// <summary>An image of the directory for stage1 images; taken from the store when the file is the one that it was taken from.</summary>
    static StoredImage Trusted(Invocation invocation, ImageStore store, string name)
    {
        if (name.Contains('/') || name is "." or "..")
        {
            throw new UserException($"--stage1-from-dir={name}: name a file, not a path");
        }

        var directory = Stage1Directory.TryFind(invocation) ?? throw new UserException($"there is no stage1 image {name}: no directory for stage1 images is installed or configured");
        var status = Files.TryStatus(FileDescriptor.WorkingDirectory, $"{directory}/{name}", out _) ?? throw new UserException($"there is no stage1 image {name} in {directory}");
        var data = GlobalFlags.DataDirectory(invocation);
        if (Stage1Directory.Remembered(data, name, status) is { } id && store.Find(id) is { } stored)
        {
            return stored;
        }

        var fetched = Fetch(invocation, store, $"{directory}/{name}", trusted: true);
        Stage1Directory.Remember(data, name, status, fetched.Id);
        return fetched;
    }

    static StoredImage Fetch(Invocation invocation, ImageStore store, string text, bool trusted)
    {
        string[] insecure = trusted ? [$"--insecure-options={invocation.Value(GlobalFlags.Insecure) ?? "none"},image"] : [];
        var id = FetchProgram.Run(["fetch", .. GlobalFlags.Repeat(invocation), .. insecure, "--pull-policy=new", "--full", text]).Trim();
        return store.Find(id) ?? throw new UserException($"the stage1 image {text} was fetched, and is not in the store any more");
    }
}
