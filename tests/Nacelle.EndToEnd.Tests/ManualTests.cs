namespace Nacelle.EndToEnd.Tests;

/// <summary>The help and the manual pages of the executables.</summary>
public sealed class ManualTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    string WritePages()
    {
        Machine.Script(machine.Path, $"'{Machine.Sources}/eng/man.sh' '{Path.GetDirectoryName(Machine.Program)}' man");
        return $"{machine.Path}/man";
    }

    /// <summary>The names of all commands, by the help.</summary>
    string[] Commands() => [.. machine.Nacelle("help").Output.Split("COMMANDS:\n")[1].Split("\n\n")[0].Split('\n').Select(line => line.Trim().Split("  ")[0])];

    [Fact]
    public void There_is_a_page_of_every_command_that_the_help_names()
    {
        var pages = Directory.GetFiles(WritePages()).Select(Path.GetFileName).Order(StringComparer.Ordinal);
        Assert.Equal(Commands().Select(command => $"nacelle-{command.Replace(' ', '-')}.1").Append("nacelle.1").Order(StringComparer.Ordinal), pages);
    }

    [Fact]
    public void Neither_mandoc_nor_groff_finds_fault_with_the_pages()
    {
        Machine.Require("/usr/bin/mandoc", "/usr/bin/groff");
        var pages = WritePages();
        var lint = Machine.Run("/bin/sh", "-c", $"mandoc -Tlint -W warning '{pages}'/*.1");
        Assert.True(lint is { ExitCode: 0, Output: "", Errors: "" }, lint.ToString());
        var warnings = Machine.Run("/bin/sh", "-c", $"for page in '{pages}'/*.1; do groff -man -Tutf8 -ww -z \"$page\"; done");
        Assert.True(warnings is { ExitCode: 0, Output: "", Errors: "" }, warnings.ToString());
        Assert.Contains("--pull-policy=new|update|never", Machine.Script(machine.Path, "mandoc -Tascii man/nacelle-run.1 | col -b"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_command_and_group_explains_itself()
    {
        foreach (var command in Commands())
        {
            var help = machine.Nacelle(["help", .. command.Split(' ')]);
            Assert.True(help is { ExitCode: 0, Errors: "" }, help.ToString());
            Assert.StartsWith($"NAME:\n\tnacelle {command} - ", help.Output, StringComparison.Ordinal);
            Assert.Equal(help.Output, machine.Nacelle([.. command.Split(' '), "--help"]).Output);
        }

        var group = machine.Nacelle("help", "image");
        Assert.Equal(0, group.ExitCode);
        Assert.Contains("\timage cat-manifest  show an image's manifest\n", group.Output, StringComparison.Ordinal);
        Assert.Equal((2, group.Output), machine.Nacelle("image") is var missing ? (missing.ExitCode, missing.Output) : default);
        Assert.Equal(2, machine.Nacelle().ExitCode);
    }
}
