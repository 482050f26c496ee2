using System.Text;
using Nacelle.CommandLine;

namespace Nacelle.Cli;

/// <summary><c>generate systemd</c>: a service unit that runs a pod.</summary>
/// <remarks>systemd.service(5), systemd.kill(5), systemd.syntax(7).</remarks>
static class GenerateSystemdCommand
{
    static readonly Option Template = new("template", null, "make a template: %i in the arguments stands for the instance");
    static readonly Option Description = new("description", "TEXT", "what the unit is called");
    static readonly Option After = new("after", "UNIT", "start after this unit, if both are started; may be given several times");
    static readonly Option Restart = new("unit-restart", "no|on-failure|always", "when systemd starts the pod again (on-failure)");

    public static readonly Command Definition = new(
        "generate systemd", "[FLAGS] -- ARGUMENT…", "print a systemd unit that runs a pod", [Template, Description, After, Restart], Run)
    {
        Description = "The arguments are those of run: nacelle generate systemd -- example.com/redis --memory=1G\nsystemd waits until the pod is ready, stops it orderly, and removes what it leaves.",
    };

    static int Run(Invocation invocation)
    {
        var arguments = invocation.Tokens.FirstOrDefault(token => token.Arguments is not null).Arguments ?? [.. invocation.Words];
        if (arguments.Count == 0)
        {
            throw new UserException("what shall the unit run? Give run's arguments behind --");
        }

        bool template = invocation.Is(Template);
        var restart = invocation.Value(Restart) ?? "on-failure";
        if (restart is not ("no" or "on-failure" or "always"))
        {
            throw new UserException($"--unit-restart={restart}: use no, on-failure or always");
        }

        var program = Quote(Environment.ProcessPath ?? "/usr/bin/nacelle", template: false);
        var globals = string.Concat(Flags(invocation).Select(flag => " " + Quote(flag, template: false)));
        const string File = "%t/nacelle/%N.uuid";
        var description = invocation.Value(Description) ?? $"Pod of {string.Join(' ', arguments.TakeWhile(argument => !argument.StartsWith('-')))}";
        Output.Write($"""
            [Unit]
            Description={Escape(description, template)}
            Wants=network-online.target
            After=network-online.target{string.Concat(invocation.Values(After).Select(unit => " " + unit))}

            [Service]
            Type=notify
            ExecStartPre=-{program}{globals} rm --uuid-file={File}
            ExecStart={program}{globals} run --uuid-file-save={File} {string.Join(' ', arguments.Select(argument => Quote(argument, template)))}
            ExecStopPost=-{program}{globals} rm --uuid-file={File}
            RuntimeDirectory=nacelle
            RuntimeDirectoryPreserve=yes
            Restart={restart}
            KillMode=mixed
            SuccessExitStatus=143
            TimeoutStartSec=15min
            Delegate=yes

            [Install]
            WantedBy=multi-user.target

            """);
        return 0;
    }

    /// <summary>Flags for nacelle as a whole that somebody has given.</summary>
    static IEnumerable<string> Flags(Invocation invocation) =>
        invocation.Tokens.Where(token => token.Option is { } option && GlobalFlags.All.Contains(option)).Select(token => $"--{token.Option!.Name}={token.Text}");

    /// <summary>A word of a command line of systemd's.</summary>
    internal static string Quote(string word, bool template)
    {
        var escaped = Escape(word, template).Replace("$", "$$", StringComparison.Ordinal);
        return word.Length > 0 && word.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./:=@,+%$".Contains(letter)) ? escaped
            : $"\"{escaped.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>Control characters and backslashes by their escapes, and percent signs that are meant as such.</summary>
    static string Escape(string text, bool template)
    {
        var escaped = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            bool specifier = template && text[i] == '%' && i + 1 < text.Length && text[i + 1] is 'i' or 'I';
            escaped.Append(text[i] switch
            {
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                '%' => specifier ? "%" : "%%",
                var letter when char.IsControl(letter) => $"\\x{(int)letter:x2}",
                var letter => $"{letter}",
            });
        }

        return escaped.ToString();
    }
}
