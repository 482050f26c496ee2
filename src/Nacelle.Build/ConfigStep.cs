using System.Globalization;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>Instructions that change the image's configuration, and WORKDIR, which makes a directory as well.</summary>
sealed class ConfigStep(BuildSession session, StageState stage)
{
    public void Do(Instruction instruction, Expansion expansion)
    {
        CachedStep? made = null;
        switch (instruction)
        {
            case PairsInstruction { Keyword: "ENV" } env:
                // All values are worked out before any of them counts: ENV a=1 b=$a takes the old a.
                foreach (var (name, value) in env.Pairs.Select(pair => (expansion.Word(pair.Name), expansion.Word(pair.Value))).ToList())
                {
                    stage.SetVariable(name, value);
                }

                break;
            case PairsInstruction label:
                var labels = new Dictionary<string, string>(stage.Config.Labels, StringComparer.Ordinal);
                foreach (var (name, value) in label.Pairs)
                {
                    labels[expansion.Word(name)] = expansion.Word(value);
                }

                stage.Config = stage.Config with { Labels = labels };
                break;
            case ArgInstruction argument:
                session.Variables.Declare(argument, stage, expansion);
                break;
            case CommandInstruction { Keyword: "CMD" } command:
                stage.Config = stage.Config with { Cmd = Arguments(command.Command) };
                stage.CommandIsOwn = true;
                break;
            case CommandInstruction entrypoint:
                stage.Config = stage.Config with { Entrypoint = Arguments(entrypoint.Command), Cmd = stage.CommandIsOwn ? stage.Config.Cmd : [] };
                break;
            case TextInstruction { Keyword: "WORKDIR" } directory:
                made = ChangeDirectory(expansion.Word(directory.Value));
                break;
            case TextInstruction { Keyword: "USER" } user:
                stage.Config = stage.Config with { User = expansion.Word(user.Value) };
                break;
            case TextInstruction { Keyword: "STOPSIGNAL" } signal:
                stage.Config = stage.Config with { StopSignal = ReadSignal(expansion.Word(signal.Value)) };
                break;
            case TextInstruction maintainer:
                stage.Author = maintainer.Value;
                break;
            case ListInstruction { Keyword: "EXPOSE" } expose:
                stage.Config = stage.Config with { ExposedPorts = new HashSet<string>([.. stage.Config.ExposedPorts, .. expose.Values.SelectMany(expansion.List).SelectMany(ReadPorts)]) };
                break;
            case ListInstruction { Keyword: "VOLUME" } volume:
                stage.Config = stage.Config with { Volumes = new HashSet<string>([.. stage.Config.Volumes, .. volume.Values.Select(expansion.Word).Select(ReadVolume)]) };
                break;
            case ListInstruction shell:
                Warn("SHELL");
                stage.Config = stage.Config with { Shell = shell.Values };
                break;
            case HealthcheckInstruction check:
                Warn("HEALTHCHECK");
                stage.Config = stage.Config with { Healthcheck = ReadHealthcheck(check) };
                break;
            case OnBuildInstruction trigger:
                Warn("ONBUILD");
                stage.Config = stage.Config with { OnBuild = [.. stage.Config.OnBuild, trigger.Trigger] };
                break;
            default:
                throw new BuildException($"{instruction.Keyword} is not possible here");
        }

        stage.Add($"/bin/sh -c #(nop) {instruction.Text}", made);
    }

    IReadOnlyList<string> Arguments(CommandForm command) => command.IsShell ? [.. stage.Shell, command.Words[0]] : command.Words;

    void Warn(string keyword)
    {
        if (session.Options.Form == ImageForm.Oci)
        {
            session.Host.Say($"warning: an OCI image cannot say {keyword}; --format=docker can");
        }
    }

    /// <returns>The layer with the directory; null where it is there already.</returns>
    CachedStep? ChangeDirectory(string text)
    {
        var path = Normalize(text.StartsWith('/') ? text : $"{stage.WorkingDirectory.TrimEnd('/')}/{text}");
        stage.Config = stage.Config with { WorkingDir = path };
        var there = session.Read(stage, files => files.TryStatus(path));
        if (path == "/" || there is { Kind: FileKind.Directory })
        {
            return null;
        }

        using var parts = session.Key("workdir", stage);
        var key = parts.Add(path).Finish();
        var step = session.Find(key);
        session.SayIfCached(step);
        if (step is null)
        {
            using var root = StageRoot.Mount(session, stage.DiffIds);
            TreeCopy.EnsureDirectory(root.Root, path, (0, 0)).Dispose();
            step = session.Commit(stage, key, root.Detach());
        }

        return step;
    }

    static string Normalize(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("." or ".."))
            {
                parts.Add(part);
            }
        }

        return "/" + string.Join('/', parts);
    }

    static string ReadSignal(string text) =>
        SignalNames.Parse(text) is not null || (int.TryParse(text, NumberStyles.None, null, out int number) && number is > 0 and <= 64) ? text
            : throw new BuildException($"'{text}' is no signal: write a name as SIGTERM, or a number");

    static string ReadVolume(string path) => path.Length > 0 ? path : throw new BuildException("a volume has an empty path");

    /// <summary><c>80</c>, <c>80/udp</c>, <c>8000-8010/tcp</c>.</summary>
    static IEnumerable<string> ReadPorts(string text)
    {
        int slash = text.IndexOf('/');
        var protocol = slash < 0 ? "tcp" : text[(slash + 1)..].ToLowerInvariant();
        var range = (slash < 0 ? text : text[..slash]).Split('-');
        if (range.Length > 2 || protocol is not ("tcp" or "udp" or "sctp")
            || !ushort.TryParse(range[0], NumberStyles.None, null, out ushort first) || !ushort.TryParse(range[^1], NumberStyles.None, null, out ushort last) || last < first)
        {
            throw new BuildException($"'{text}' is no port: write 80, 80/udp or 8000-8010/tcp");
        }

        return Enumerable.Range(first, last - first + 1).Select(port => string.Create(CultureInfo.InvariantCulture, $"{port}/{protocol}"));
    }

    static ImageHealthcheck ReadHealthcheck(HealthcheckInstruction check) => new()
    {
        Test = check.Command is null ? ["NONE"] : check.Command.IsShell ? ["CMD-SHELL", check.Command.Words[0]] : ["CMD", .. check.Command.Words],
        Interval = Duration(check, "interval"),
        Timeout = Duration(check, "timeout"),
        StartPeriod = Duration(check, "start-period"),
        StartInterval = Duration(check, "start-interval"),
        Retries = !check.Timing.TryGetValue("retries", out var text) ? 0
            : int.TryParse(text, NumberStyles.None, null, out int retries) ? retries
            : throw new BuildException($"--retries={text} is no number"),
    };

    /// <returns>In nanoseconds.</returns>
    static long Duration(HealthcheckInstruction check, string flag)
    {
        if (!check.Timing.TryGetValue(flag, out var text))
        {
            return 0;
        }

        double total = 0;
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            int digits = rest.IndexOfAnyExcept("0123456789.") is var end && end < 0 ? rest.Length : end;
            int letters = rest[digits..].IndexOfAny("0123456789.") is var next && next < 0 ? rest.Length - digits : next;
            double unit = rest.Slice(digits, letters) switch { "h" => 3600e9, "m" => 60e9, "s" => 1e9, "ms" => 1e6, "us" or "µs" => 1e3, "ns" => 1, "" when text == "0" => 1, _ => -1 };
            if (unit < 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            {
                throw new BuildException($"--{flag}={text}: write a duration, as in 30s or 1m30s");
            }

            total += number * unit;
            rest = rest[(digits + letters)..];
        }

        return total < 1e18 ? (long)total : throw new BuildException($"--{flag}={text} is too long");
    }
}
