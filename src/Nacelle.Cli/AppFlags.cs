using System.Text.Json;
using Nacelle.CommandLine;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary>The flags that say what a pod is, and how images, flags and arguments in a row become a request.</summary>
/// <remarks>As with rkt, an app's flags follow its image; flags before the first image are the pod's.</remarks>
static class AppFlags
{
    public static readonly Option Name = new("name", "NAME", "the app's name (the image's last part); before any image the pod's, which can then be named so as by its UUID");
    public static readonly Option Exec = new("exec", "PROGRAM", "run this instead of the image's program");
    public static readonly Option User = new("user", "USER", "run as this user: a number, a name of the image's, or a path whose owner is meant");
    public static readonly Option Group = new("group", "GROUP", "run as this group");
    public static readonly Option Groups = new("supplementary-gids", "GID,…", "further groups");
    public static readonly Option WorkingDirectory = new("working-dir", "PATH", "start in this directory");
    public static readonly Option ReadOnlyRoot = new("readonly-rootfs", null, "make the app's root file system read-only");
    public static readonly Option Mount = new("mount", "volume=NAME,target=PATH", "put a volume at a path; before any image, in every app");
    public static readonly Option Environment = new("environment", "NAME=VALUE", "set a variable for the app");
    public static readonly Option Annotation = new("annotation", "NAME=VALUE", "add an annotation to the app");
    public static readonly Option UserAnnotation = new("user-annotation", "NAME=VALUE", "add a user annotation to the app");
    public static readonly Option UserLabel = new("user-label", "NAME=VALUE", "add a user label to the app");
    public static readonly Option Memory = new("memory", "BYTES", "limit memory, as in 512M");
    public static readonly Option Cpu = new("cpu", "CPUS", "limit processor time, as in 750m or 1.5");
    public static readonly Option CpuShares = new("cpu-shares", "SHARES", "weigh processor time against other apps (1024)");
    public static readonly Option Pids = new("pids-limit", "COUNT", "limit processes and threads");
    public static readonly Option BlockBandwidth = new("block-bandwidth", "BYTES", "limit what is read, and what is written, of every disk in a second, as in 2M");
    public static readonly Option BlockOperations = new("block-iops", "COUNT", "limit reads, and writes, of every disk in a second");
    public static readonly Option Selinux = new("selinux-context", "USER:ROLE:TYPE:LEVEL", "run under this SELinux context");
    public static readonly Option Apparmor = new("apparmor-profile", "PROFILE", "run under this AppArmor profile, which has to be loaded");
    public static readonly Option NoNewPrivileges = new("no-new-privileges", null, "keep the app and its children from gaining privileges; always so for users other than root");
    public static readonly Option Retain = new("caps-retain", "CAPABILITY,…", "keep these capabilities and no others") { Choices = Linux.CapabilityNames.All };
    public static readonly Option Remove = new("caps-remove", "CAPABILITY,…", "take these from the default capabilities") { Choices = Linux.CapabilityNames.All };
    public static readonly Option Seccomp = new("seccomp", "mode=retain|remove[,errno=NAME],CALL,…", "filter system calls by this list instead of the default");
    public static readonly Option Score = new("oom-score-adj", "SCORE", "from -1000 to 1000: sooner or later killed when memory is short");
    public static readonly Option Restart = new("restart", "no|on-failure[:COUNT]|always", "start the app again when it has ended (no)");
    public static readonly Option StopSignal = new("stop-signal", "SIGNAL", "how the app is asked to end (SIGTERM, or what its image says)");
    public static readonly Option StopTimeout = new("stop-timeout", "SECONDS", "how long the app has to end when it is asked to (10)");
    public static readonly Option NetworkBandwidth = new("network-bandwidth", "BYTES", "limit what is sent, and what is received, on each network in a second, as in 2M; for an app that is alone in its pod");
    public static readonly Option Stdin = new("stdin", "null|stream|tty|interactive", "what the app reads: nothing, or from those who attach");
    public static readonly Option Stdout = new("stdout", "log|null|stream|tty|interactive", "where the app's output goes: to its log and the pod's output (log), or to its log and those who attach");
    public static readonly Option Stderr = new("stderr", "log|null|stream|tty|interactive", "as --stdout, for what the app writes to standard error");
    public static readonly Option Signature = new("signature", "FILE", "the detached signature of an ACI that is to be fetched, instead of the one beside it");

    /// <summary>As rkt called them first.</summary>
    static readonly Option RetainOnce = Retain with { Name = "cap-retain", IsHidden = true }, RemoveOnce = Remove with { Name = "cap-remove", IsHidden = true };

    /// <summary>Bind to the image before them.</summary>
    public static readonly IReadOnlyList<Option> PerApp =
    [
        Name, Exec, User, Group, Groups, WorkingDirectory, ReadOnlyRoot, Mount, Environment, Annotation, UserAnnotation, UserLabel, Memory, Cpu, CpuShares,
        Pids, BlockBandwidth, BlockOperations, NetworkBandwidth, Retain, Remove, Seccomp, NoNewPrivileges, Selinux, Apparmor, Score, Restart, StopSignal, StopTimeout, Stdin, Stdout, Stderr, Signature,
        RetainOnce, RemoveOnce,
    ];

    /// <summary>A single app, wherever its flags stand.</summary>
    public static AppRequest ToRequest(Invocation invocation, string image)
    {
        var app = new AppRequest { Image = image };
        foreach (var token in invocation.Tokens)
        {
            app = token.Arguments is { } arguments ? app.Arguments is null ? app with { Arguments = arguments } : throw new UserException("only one set of app arguments allowed per image")
                : token.Option is { } option && PerApp.Contains(option) ? Apply(app, option, token.Text)
                : app;
        }

        return app;
    }

    public static IReadOnlyList<AppRequest> ToRequests(Invocation invocation)
    {
        var apps = new List<AppRequest>();
        foreach (var token in invocation.Tokens)
        {
            if (token.Arguments is { } arguments)
            {
                apps[^1] = apps.Count == 0 ? throw new UserException("an image is required before any app arguments")
                    : apps[^1].Arguments is not null ? throw new UserException("only one set of app arguments allowed per image")
                    : apps[^1] with { Arguments = arguments };
            }
            else if (token.Option is null)
            {
                apps.Add(new AppRequest { Image = token.Text });
            }
            else if (PerApp.Contains(token.Option))
            {
                if (apps.Count > 0)
                {
                    apps[^1] = Apply(apps[^1], token.Option, token.Text);
                }
                else if (token.Option != Mount && token.Option != Name)
                {
                    throw new UserException($"--{token.Option.Name} goes behind the image that it is for");
                }
            }
        }

        return apps;
    }

    /// <summary>The pod's name: --name before any image.</summary>
    /// <exception cref="UserException">It may be taken for a UUID.</exception>
    public static AppName? PodName(Invocation invocation)
    {
        var token = invocation.Tokens.TakeWhile(token => token.Option is not null).LastOrDefault(token => token.Option?.Name == Name.Name);
        return token.Option is null ? null
            : Guid.TryParse(token.Text, out _) ? throw new UserException($"--name={token.Text}: a name must not look like a UUID")
            : AppName.Parse(token.Text, $"--name={token.Text}");
    }

    /// <summary>The --mount flags before any image.</summary>
    public static IReadOnlyList<PodMount> CommonMounts(Invocation invocation) =>
        [.. invocation.Tokens.TakeWhile(token => token.Option is not null).Where(token => token.Option == Mount).Select(token => ParseMount(token.Text))];

    static AppRequest Apply(AppRequest app, Option option, string value)
    {
        var flag = $"--{option.Name}={value}";
        return option.Name switch
        {
            "name" => app with { Name = AppName.Parse(value, flag) },
            "exec" => app with { Exec = value },
            "user" => app with { User = value },
            "group" => app with { Group = value },
            "supplementary-gids" => app with { SupplementaryGroups = [.. value.Split(',').Select(gid => Number(gid, flag))] },
            "working-dir" => app with { WorkingDirectory = value.StartsWith('/') ? value : throw new UserException($"{flag}: use an absolute path") },
            "readonly-rootfs" => app with { ReadOnlyRoot = value == "true" },
            "mount" => app with { Mounts = [.. app.Mounts, ParseMount(value)] },
            "environment" => app with { Environment = [.. app.Environment, Pair(value, flag)] },
            "annotation" => app with { Annotations = [.. app.Annotations, Pair(value, flag)] },
            "user-annotation" => app with { UserAnnotations = Add(app.UserAnnotations, Pair(value, flag)) },
            "user-label" => app with { UserLabels = Add(app.UserLabels, Pair(value, flag)) },
            "memory" or "cpu" or "cpu-shares" or "pids-limit" or "block-bandwidth" or "block-iops" or "network-bandwidth" => With(app, ResourceFlags.ToIsolator(option.Name, value, flag)),
            "no-new-privileges" => With(app, "os/linux/no-new-privileges", value == "true" ? "true" : "false"),
            "selinux-context" => With(app, "os/linux/selinux-context", SelinuxContext(value, flag)),
            "apparmor-profile" => With(app, "os/linux/apparmor-profile", ResourceFlags.Quote(value)),
            "oom-score-adj" => With(app, "os/linux/oom-score-adj", int.TryParse(value, out int score) ? $"{score}" : throw new UserException($"{flag}: use a number")),
            "restart" => Annotate(app, "nacelle/restart", IsRestart(value) ? value : throw new UserException($"{flag}: use no, on-failure, on-failure:COUNT or always")),
            "stop-signal" => Annotate(app, "nacelle/stop-signal", Linux.SignalNames.Parse(value) is null ? throw new UserException($"{flag}: there is no such signal") : value),
            "stop-timeout" => Annotate(app, "nacelle/stop-timeout", $"{Number(value, flag)}"),
            "stdin" or "stdout" or "stderr" => Annotate(app, $"coreos.com/rkt/stage2/{option.Name}", option.ValueName!.Split('|').Contains(value, StringComparer.Ordinal)
                ? value : throw new UserException($"{flag}: use {option.ValueName.Replace("|", ", ", StringComparison.Ordinal)}")),
            "signature" => app with { Signature = value },
            "caps-retain" or "cap-retain" => Capabilities(app, "retain", value),
            "caps-remove" or "cap-remove" => Capabilities(app, "remove", value),
            "seccomp" => SystemCalls(app, value),
            _ => app,
        };
    }

    static AppRequest Annotate(AppRequest app, string name, string value) =>
        app with { Annotations = [.. app.Annotations.Where(one => one.Name != name), new Annotation(name, value)] };

    static bool IsRestart(string value) => value is "no" or "on-failure" or "always"
        || (value.StartsWith("on-failure:", StringComparison.Ordinal) && int.TryParse(value["on-failure:".Length..], out int count) && count > 0);

    static AppRequest Capabilities(AppRequest app, string mode, string list) =>
        app.Isolators.Any(one => one.Name.StartsWith("os/linux/capabilities-", StringComparison.Ordinal))
            ? throw new UserException("--caps-retain and --caps-remove exclude each other")
            : With(app, $"os/linux/capabilities-{mode}-set", $"{{\"set\":{Strings(list.Split(',', StringSplitOptions.RemoveEmptyEntries))}}}");

    static AppRequest SystemCalls(AppRequest app, string value)
    {
        var parts = value.Split(',', StringSplitOptions.RemoveEmptyEntries).ToList();
        var mode = Take("mode=") ?? throw new UserException($"--seccomp={value}: begin with mode=retain or mode=remove");
        var errno = Take("errno=");
        return mode is "retain" or "remove"
            ? With(app, $"os/linux/seccomp-{mode}-set", $"{{\"set\":{Strings(parts)}{(errno is null ? "" : $",\"errno\":{Strings([errno])[1..^1]}")}}}")
            : throw new UserException($"--seccomp={value}: the mode is retain or remove");

        string? Take(string prefix)
        {
            int at = parts.FindIndex(part => part.StartsWith(prefix, StringComparison.Ordinal));
            var found = at < 0 ? null : parts[at][prefix.Length..];
            parts.RemoveAll(part => part.StartsWith(prefix, StringComparison.Ordinal));
            return found;
        }
    }

    static AppRequest With(AppRequest app, string isolator, string json) => With(app, ResourceFlags.Isolator(isolator, json));

    static AppRequest With(AppRequest app, Isolator isolator) => app with { Isolators = [.. app.Isolators.Where(one => one.Name != isolator.Name), isolator] };

    static string SelinuxContext(string value, string flag) =>
        value.Split(':', 4) is [{ Length: > 0 } user, { Length: > 0 } role, { Length: > 0 } type, { Length: > 0 } level]
            ? $"{{\"user\":{ResourceFlags.Quote(user)},\"role\":{ResourceFlags.Quote(role)},\"type\":{ResourceFlags.Quote(type)},\"level\":{ResourceFlags.Quote(level)}}}"
            : throw new UserException($"{flag}: write USER:ROLE:TYPE:LEVEL");

    /// <summary>Strings as a JSON array.</summary>
    static string Strings(IEnumerable<string> texts) => $"[{string.Join(',', texts.Select(ResourceFlags.Quote))}]";

    static PodMount ParseMount(string value)
    {
        string? Part(string name) => value.Split(',').LastOrDefault(part => part.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
        return Part("volume") is { } volume && Part("target") is { } target && target.StartsWith('/')
            ? new PodMount { Volume = AppName.Parse(volume, "--mount"), Path = target }
            : throw new UserException($"--mount={value}: write volume=NAME,target=/PATH");
    }

    static uint Number(string text, string flag) => uint.TryParse(text, out uint number) ? number : throw new UserException($"{flag}: '{text}' is no number");

    internal static Annotation Pair(string text, string flag)
    {
        int equals = text.IndexOf('=');
        return equals > 0 ? new Annotation(text[..equals], text[(equals + 1)..]) : throw new UserException($"{flag}: write NAME=VALUE");
    }

    static Dictionary<string, string> Add(IReadOnlyDictionary<string, string>? to, Annotation pair) =>
        new(to ?? new Dictionary<string, string>(), StringComparer.Ordinal) { [pair.Name] = pair.Value };
}
