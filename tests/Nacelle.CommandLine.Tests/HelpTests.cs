using static Nacelle.CommandLine.Tests.SampleCommands;

namespace Nacelle.CommandLine.Tests;

public sealed class HelpTests
{
    [Fact]
    public void Every_name_is_apart_from_what_is_said_of_it()
    {
        var lines = new Help(null).Overview(Program, null).Split('\n').SkipWhile(line => line != "COMMANDS:").Skip(1).TakeWhile(line => line.Length > 0).ToList();
        Assert.Equal(9, lines.Count);
        int column = lines[0].IndexOf("run images", StringComparison.Ordinal);
        Assert.All(lines, line => Assert.True(line[column] != ' ' && line[(column - 2)..column] == "  ", line));
        Assert.DoesNotContain(lines, line => line.Contains("internal", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_a_group_all_its_commands_are_told()
    {
        var text = new Help(null).Overview(Program, "image");
        Assert.StartsWith("NAME:\n\tnacelle image - list, rm, render\n\nUSAGE:\n\tnacelle image [FLAGS] COMMAND\n\nCOMMANDS:\n\timage list    list images\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("enter", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_command_it_has_rkt_s_sections_and_no_hidden_flag()
    {
        var text = new Help(null).For(ImageRender);
        Assert.StartsWith(
            "NAME:\n\tnacelle image render - write files\n\nUSAGE:\n\tnacelle image render [FLAGS] IMAGE DIRECTORY\n\nDESCRIPTION:\n\tWrites all files.\n\t-- and 'this' stay.\n\nOPTIONS:\n\t-t=NAME  a name\n\nGLOBAL OPTIONS:\n\t--debug  ",
            text, StringComparison.Ordinal);
        Assert.DoesNotContain("--old", new Help(null).For(Run), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(132)]
    public void In_a_terminal_no_line_is_longer_than_it_is_wide(int width)
    {
        foreach (var text in new[] { new Help(width).Overview(Program, null), new Help(width).For(Run) })
        {
            var lines = text.Replace("\t", new string(' ', 8), StringComparison.Ordinal).Split('\n');
            Assert.All(lines, line => Assert.True(line.Length <= Math.Max(width, 8 + 34 + 24) || !line.TrimStart().Contains(' ', StringComparison.Ordinal), line));
        }

        Assert.Equal(Words(new Help(null).For(Run)), Words(new Help(width).For(Run)));
    }

    static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
