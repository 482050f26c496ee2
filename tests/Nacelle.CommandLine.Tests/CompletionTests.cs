using static Nacelle.CommandLine.Tests.SampleCommands;

namespace Nacelle.CommandLine.Tests;

/// <summary>What shells are told that a word at the end of a line may become.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("words||run run-prepared rm", "r")]
    [InlineData("words||help", "hel")]
    [InlineData("words||image", "im")]
    [InlineData("words||list rm render", "image", "")]
    [InlineData("words||rm render", "im", "r")]
    [InlineData("words||run run-prepared", "help", "ru")]
    [InlineData("words||enter", "--debug", "en")]
    [InlineData("words||", "int")]
    [InlineData("words||", "nonsense", "x")]
    [InlineData("words||--policy=", "run", "--p")]
    [InlineData("words||--quiet", "run", "a", "--q")]
    [InlineData("words||--debug --dir=", "run", "--d")]
    [InlineData("words||--debug --dir=", "--d")]
    [InlineData("words||", "run", "--ol")]
    [InlineData("words||-t=", "image", "render", "-t")]
    [InlineData("words||new update never", "run", "--policy", "")]
    [InlineData("words||--policy=new --policy=never", "run", "--policy=n")]
    [InlineData("words||--quiet=true", "run", "--quiet=t")]
    [InlineData("words||--caps=kill,chown --caps=kill,net-raw", "run", "--caps=kill,")]
    [InlineData("words||image,http", "--insecure-options", "image,h")]
    [InlineData("directories|--dir=|", "--dir=/v")]
    [InlineData("files||", "enter", "--uuid-file", "/v")]
    [InlineData("files||", "run", "./x")]
    [InlineData("files||", "run", "a", "--", "x")]
    [InlineData("words||docker://some/image:1", "run", "--quiet", "docker")]
    [InlineData("words||docker://some/image:1 example.com/app", "run", "a", "--", "x", "---", "")]
    [InlineData("directories||", "image", "render", "a", "")]
    [InlineData("words||", "image", "render", "a", "b", "")]
    [InlineData("words||rm-able", "rm", "x", "")]
    [InlineData("words||run-prepared-able", "run-prepared", "")]
    [InlineData("words||", "run-prepared", "x", "")]
    [InlineData("words||--app=app-of-u", "enter", "u", "--app=")]
    [InlineData("words||enter-able", "enter", "--app=x", "")]
    [InlineData("words||", "enter", "u", "ls", "--a")]
    [InlineData("words||", "enter", "--uuid-file=f", "")]
    [InlineData("words||bash zsh", "completion", "")]
    [InlineData("words||", "image", "list", "")]
    public void The_last_word_is_completed(string expected, params string[] words)
    {
        var completion = Completion.Of(Program, words, out _)!;
        Assert.Equal(expected, $"{completion.Kind.ToString().ToLowerInvariant()}|{completion.Kept}|{string.Join(' ', completion.Words.Select(word => word.Word))}");
    }

    [Fact]
    public void What_another_executable_does_it_is_asked_about()
    {
        Assert.Null(Completion.Of(Program, ["fetch", "--"], out var other));
        Assert.Equal("sample-fetch", other);
        Assert.NotNull(Completion.Of(Program, ["fetc"], out other));
        Assert.Null(other);
    }

    [Fact]
    public void Shells_get_a_line_a_word_with_its_remark() =>
        Assert.Equal("words\t\nimage\tlist, rm, render\n", $"{Completion.Of(Program, ["i"], out _)}");
}
