using System.Globalization;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary><c>build</c>: makes an image from a Containerfile, or packs an ACI.</summary>
static class BuildCommand
{
    static readonly Option Tag = new("tag", "NAME", "what the image is called: NAME[:TAG] is localhost/NAME; may be given several times");
    static readonly Option ShortTag = new("t", "NAME", "the same as --tag");
    static readonly Option File = new("file", "FILE", "the Containerfile (CONTEXT/Containerfile or CONTEXT/Dockerfile); - for standard input");
    static readonly Option ShortFile = new("f", "FILE", "the same as --file");
    static readonly Option Argument = new("build-arg", "NAME=VALUE", "the value of an ARG; without =VALUE that of this environment");
    static readonly Option Target = new("target", "STAGE", "build up to this stage (the last)");
    static readonly Option NoCache = new("no-cache", null, "do every step anew");
    static readonly Option Network = new("net", "NETWORKS", "the networks of commands: default, or others by name, none, or host (none)");
    static readonly Option Secret = new("secret", "id=ID[,src=FILE|,env=NAME]", "what RUN --mount=type=secret gets");
    static readonly Option Ssh = new("ssh", "default|ID[=SOCKET]", "the ssh agent that RUN --mount=type=ssh speaks to ($SSH_AUTH_SOCK)");
    static readonly Option Label = new("label", "NAME=VALUE", "a label of the image");
    static readonly Option Annotation = new("annotation", "NAME=VALUE", "an annotation of the image's manifest");
    static readonly Option ForPlatform = new("platform", "OS/ARCH", "the image's platform: this machine's, or an error");
    static readonly Option Form = new("format", "oci|docker|aci", "the form of the image (oci); aci writes the file that --output names");
    static readonly Option Out = new("output", "FILE", "for --format=aci: where the image goes");
    static readonly Option Compression = new("compression", "gzip|zstd", "how layers are compressed (gzip)");
    static readonly Option Timestamp = new("timestamp", "SECONDS", "the time of the image and of all files of its layers, since 1970");
    static readonly Option Policy = new("pull-policy", "new|update|never", "when to ask the registry for the images of FROM (new: for what the store lacks)");
    static readonly Option IdFile = new("iidfile", "FILE", "write the image's id to this file");
    static readonly Option Quiet = new("quiet", null, "no progress; what commands write is still shown");
    static readonly Option Aci = new("aci", "DIRECTORY", "pack an ACI layout (manifest and rootfs) into the file that is named instead of a context");

    public static readonly Command Definition = new(
        "build", "[FLAGS] CONTEXT", "make an image from a Containerfile",
        [
            Tag, ShortTag, File, ShortFile, Argument, Target, NoCache, Network, Secret, Ssh, Label, Annotation, ForPlatform, Form, Out, Compression, Timestamp, Policy, IdFile,
            Quiet, Aci,
        ],
        Run)
    {
        Description = "Prints the image's id. With SOURCE_DATE_EPOCH in the environment the image's time is that, and no file of its layers is younger.",
    };

    static int Run(Invocation invocation)
    {
        if (invocation.Value(Aci) is { } layout)
        {
            AciPacking.Pack(layout, invocation.Words is [var aci] ? aci : throw new UserException("build --aci: name the file to write"));
            return 0;
        }

        GlobalFlags.RequireRoot(invocation);
        var context = invocation.Words is [var one] ? one : throw new UserException("name the directory to build from; see nacelle help build");
        return Interruptible.Run("the steps that were finished are in the cache", cancellation => Build(invocation, context, cancellation));
    }

    static void Build(Invocation invocation, string context, CancellationToken cancellation)
    {
        bool quiet = invocation.Is(Quiet);
        var names = invocation.Values(Tag).Concat(invocation.Values(ShortTag)).Select(LocalName).ToList();
        var form = invocation.Value(Form) ?? "oci";
        var output = invocation.Value(Out);
        if (form is not ("oci" or "docker" or "aci") || (form == "aci") != (output is not null))
        {
            throw new UserException(form == "aci" ? "--format=aci: say with --output where the image goes" : output is not null ? "--output is for --format=aci" : $"--format={form}: use oci, docker or aci");
        }

        RequirePlatform(invocation.Value(ForPlatform));
        var path = invocation.Value(File) ?? invocation.Value(ShortFile) ?? FindFile(context);
        var options = Options(invocation, context, path, form);
        var parsed = Containerfile.Parse(path == "-" ? "stdin" : path, Read(path));
        var data = GlobalFlags.DataDirectory(invocation);
        var fetching = new Fetching(invocation, invocation.Value(Policy) ?? "new");
        var host = new BuildHost(
            fetching.FindImage, fetching.Download, RunArguments(invocation),
            GlobalFlags.IsInsecure(invocation, "ondisk") ? LayerCheck.None : LayerCheck.Seals, line => Say(line, quiet));
        var image = Builder.Build(parsed, options, host, data, names, cancellation);
        if (output is not null)
        {
            using var store = ImageStore.Open(data);
            AciOutput.Write(store, image, output, options.Time, cancellation);
        }

        if (invocation.Value(IdFile) is { } idFile)
        {
            Files.WriteAll(FileDescriptor.WorkingDirectory, idFile, image.Id.ToString());
        }

        Output.Line(image.ShortId);
    }

    static BuildOptions Options(Invocation invocation, string context, string file, string form) => new()
    {
        Context = Path.GetFullPath(context),
        File = file,
        Arguments = Pairs(invocation, Argument, fromEnvironment: true),
        Target = invocation.Value(Target),
        NoCache = invocation.Is(NoCache),
        Network = invocation.Value(Network) is { } network ? ParseNetwork(network) : NetworkSelection.None.Text,
        Secrets = invocation.Values(Secret).Select(ParseSecret).ToDictionary(),
        Agents = invocation.Values(Ssh).Select(ParseAgent).ToDictionary(),
        AllowPlainHttp = GlobalFlags.IsInsecure(invocation, "http"),
        Labels = Pairs(invocation, Label, fromEnvironment: false),
        Annotations = Pairs(invocation, Annotation, fromEnvironment: false),
        Form = form == "docker" ? ImageForm.Docker : ImageForm.Oci,
        Compression = invocation.Value(Compression) switch
        {
            null or "gzip" => LayerCompression.Gzip,
            "zstd" => LayerCompression.Zstd,
            var other => throw new UserException($"--compression={other}: use gzip or zstd"),
        },
        Time = invocation.Value(Timestamp) is { } timestamp ? new LayerTime(Seconds("--timestamp", timestamp), All: true)
            : Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH") is { Length: > 0 } epoch ? new LayerTime(Seconds("SOURCE_DATE_EPOCH", epoch), All: false)
            : null,
    };

    static long Seconds(string name, string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds < 1L << 36 ? seconds
            : throw new UserException($"{name}={text}: write seconds since 1970");

    /// <summary>As with podman: a name without a host is one of this machine.</summary>
    static ImageReference LocalName(string text)
    {
        try
        {
            return text.Contains('@') ? throw new UserException($"--tag={text}: an image's digest is not known before it is made")
                : ImageReference.Parse(text.StartsWith("docker:", StringComparison.Ordinal) || ImageReference.HasHost(text) ? text : "localhost/" + text);
        }
        catch (SpecException problem)
        {
            throw new UserException($"--tag: {problem.Message}");
        }
    }

    static void RequirePlatform(string? text)
    {
        if (text is not null && Platform.Parse(text) is var platform && Platform.Current.Distance(platform) != 0)
        {
            throw new UserException($"--platform={text}: images can only be built for {Platform.Current} here");
        }
    }

    static string FindFile(string context)
    {
        foreach (var name in (ReadOnlySpan<string>)["Containerfile", "Dockerfile"])
        {
            if (Files.Exists(FileDescriptor.WorkingDirectory, Path.Combine(context, name)))
            {
                return Path.Combine(context, name);
            }
        }

        throw new UserException($"{context} has neither a Containerfile nor a Dockerfile: name one with --file");
    }

    static byte[] Read(string path)
    {
        using var file = path == "-" ? FileDescriptor.StandardInput : Files.Open(path, OpenFlags.ReadOnly);
        return Files.Status(file) is { Kind: FileKind.Regular } status && status.Size > Containerfile.Longest
            ? throw new SpecException(path, $"is {status.Size} bytes long; at most {Containerfile.Longest} are read")
            : Files.ReadToEnd(file);
    }

    static IReadOnlyDictionary<string, string> Pairs(Invocation invocation, Option option, bool fromEnvironment)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in invocation.Values(option))
        {
            int equals = text.IndexOf('=');
            if (equals > 0)
            {
                pairs[text[..equals]] = text[(equals + 1)..];
            }
            else if (fromEnvironment && text.Length > 0 && equals < 0)
            {
                if (Environment.GetEnvironmentVariable(text) is { } value)
                {
                    pairs[text] = value;
                }
            }
            else
            {
                throw new UserException($"--{option.Name}={text}: write NAME=VALUE");
            }
        }

        return pairs;
    }

    static string ParseNetwork(string text)
    {
        try
        {
            return NetworkSelection.Parse([text]).Text;
        }
        catch (SpecException problem)
        {
            throw new UserException($"--net={text}: {problem.Message}");
        }
    }

    static KeyValuePair<string, BuildSecret> ParseSecret(string text)
    {
        string? id = null;
        BuildSecret? secret = null;
        foreach (var part in text.Split(','))
        {
            switch (part.Split('=', 2))
            {
                case ["id", { Length: > 0 } value]: id = value; break;
                case ["src" or "source", { Length: > 0 } value]: secret = new BuildSecret(value, null); break;
                case ["env", { Length: > 0 } value]: secret = new BuildSecret(null, value); break;
                case ["type", "file" or "env"]: break;
                default: throw new UserException($"--secret={text}: write id=ID,src=FILE or id=ID,env=NAME");
            }
        }

        return id is null ? throw new UserException($"--secret={text}: the id is missing") : new(id, secret ?? new BuildSecret(id, null));
    }

    static KeyValuePair<string, string> ParseAgent(string text)
    {
        var (id, socket) = text.Split('=', 2) is [var name, { Length: > 0 } path] ? (name, path)
            : (text, Environment.GetEnvironmentVariable("SSH_AUTH_SOCK") ?? throw new UserException($"--ssh={text}: no agent runs ($SSH_AUTH_SOCK is not set)"));
        return id.Length == 0 || id.AsSpan().ContainsAny("/=") ? throw new UserException($"--ssh={text}: write default, ID or ID=SOCKET")
            : Files.TryStatus(FileDescriptor.WorkingDirectory, socket, out var error) is not { } status ? throw new UserException($"--ssh={text}: {socket}: {error}")
            : status.Kind != FileKind.Socket ? throw new UserException($"--ssh={text}: {socket} is no agent's socket; keys are given to an agent by ssh-add")
            : new(id, Path.GetFullPath(socket));
    }

    static IReadOnlyList<string> RunArguments(Invocation invocation) =>
        [.. GlobalFlags.Repeat(invocation).Where(flag => !flag.StartsWith($"--{GlobalFlags.Directory.Name}=", StringComparison.Ordinal))];

    static void Say(string line, bool quiet)
    {
        if (!quiet || line.StartsWith("warning", StringComparison.Ordinal))
        {
            Files.Write(FileDescriptor.StandardError, System.Text.Encoding.UTF8.GetBytes(line + "\n"));
        }
    }
}
