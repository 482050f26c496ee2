using System.Globalization;
using System.Text;

namespace Nacelle.CommandLine;

/// <summary>Manual pages, all made from the commands' definitions, for man(1).</summary>
/// <remarks>The macros of man(7), as groff and mandoc both take them.</remarks>
public sealed class ManualPage
{
    /// <summary>The command, unknown to people, that writes the pages: a directory and the date that they state follow.</summary>
    public const string Verb = "__manual";

    const string Name = "nacelle";

    readonly StringBuilder text = new();

    ManualPage(string name, string date) => text.Append(CultureInfo.InvariantCulture, $".TH {name.ToUpperInvariant()} 1 {date} {Name} \"Nacelle manual\"\n.nh\n");

    /// <returns>A file's name (<c>nacelle-run.1</c>) and its content, for each of the program's own commands, and for nacelle itself, whose page names those of its helpers too.</returns>
    public static IEnumerable<KeyValuePair<string, string>> Of(CommandProgram program, string date)
    {
        var pages = new Dictionary<string, string>(StringComparer.Ordinal);
        if (program.Name == Name)
        {
            pages[$"{Name}.1"] = OfNacelle(program, date);
        }

        foreach (var command in program.Commands.Where(command => command is { IsHidden: false, Program: null }))
        {
            pages[$"{PageOf(command)}.1"] = Of(command, date);
        }

        return pages;
    }

    static string PageOf(Command command) => $"{Name}-{command.Name.Replace(' ', '-')}";

    static string OfNacelle(CommandProgram program, string date)
    {
        var page = new ManualPage(Name, date);
        page.Section("NAME").Line($"{Name} \\- {Escape(program.Purpose)}");
        page.Section("SYNOPSIS").Line($".B {Name}").Line(Escape("[FLAGS] COMMAND"));
        page.Section("DESCRIPTION").Line("Commands may be shortened as long as they stay unique. Flags may stand anywhere behind the name of the program, with").Line("\\(lq=\\(rq or a blank before their value.");
        page.Section("COMMANDS");
        foreach (var command in program.Commands.Where(command => !command.IsHidden))
        {
            page.Line(".TP").Line($".BR {Escape(PageOf(command))} (1)").Line(Escape(command.Summary));
        }

        page.Section("OPTIONS").Flags(GlobalFlags.All).ExitStatus();
        page.Section("FILES")
            .Line(".TP").Line(".I /var/lib/nacelle").Line("images, pods, and all else that is kept")
            .Line(".TP").Line(".IR /etc/nacelle \" and \" /usr/lib/nacelle").Line("the configuration")
            .Line(".TP").Line(".I /etc/containers/policy.json").Line("which images are trusted; see").Line(".BR containers\\-policy.json (5)");
        return page.text.ToString();
    }

    static string Of(Command command, string date)
    {
        var page = new ManualPage(PageOf(command), date);
        page.Section("NAME").Line($"{Escape(PageOf(command))} \\- {Escape(command.Summary)}");
        page.Section("SYNOPSIS").Line($".B {Name} {Escape(command.Name)}");
        if (command.Synopsis.Length > 0)
        {
            page.Line(Escape(command.Synopsis));
        }

        if (command.Description.Length > 0)
        {
            page.Section("DESCRIPTION");
            foreach (var line in command.Description.Split('\n'))
            {
                page.Line(Escape(line));
            }
        }

        if (command.Options.Any(option => !option.IsHidden))
        {
            page.Section("OPTIONS").Flags(command.Options);
        }

        page.Section("GLOBAL OPTIONS").Line("See").Line($".BR {Name} (1).").ExitStatus();
        page.Section("SEE ALSO").Line($".BR {Name} (1)");
        return page.text.ToString();
    }

    ManualPage Section(string title) => Line($".SH {title}");

    ManualPage ExitStatus() => Section("EXIT STATUS")
        .Line("0 on success; 254 when something is wrong, which is told in one line; 2 where no command is given. What becomes something else, as")
        .Line(".B run").Line("and").Line(".B enter").Line("do, ends with the exit code of that.");

    ManualPage Flags(IEnumerable<Option> options)
    {
        foreach (var option in options.Where(option => !option.IsHidden))
        {
            Line(".TP").Line($"\\fB{Escape(Help.Dashes(option))}\\fR{(option.IsSwitch ? "" : option.Bare is null ? $"=\\fI{Escape(option.ValueName!)}\\fR" : $"[=\\fI{Escape(option.ValueName!)}\\fR]")}").Line(Escape(option.Summary));
        }

        return this;
    }

    ManualPage Line(string line)
    {
        text.Append(line).Append('\n');
        return this;
    }

    /// <summary>Text as it is to be read: no letter of it means anything to the formatter.</summary>
    static string Escape(string plain)
    {
        var escaped = plain.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal)
            .Replace("…", "...", StringComparison.Ordinal).Replace("'", "\\(aq", StringComparison.Ordinal);
        return escaped.StartsWith('.') || escaped.StartsWith("\\(aq", StringComparison.Ordinal) ? "\\&" + escaped : escaped;
    }
}
