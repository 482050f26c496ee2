using static Nacelle.CommandLine.Tests.SampleCommands;

namespace Nacelle.CommandLine.Tests;

public sealed class GrammarTests
{
    static string Refusal(params string[] arguments) => Assert.Throws<UserException>(() => Parse(arguments)).Message;

    /// <summary>What was understood: flags as written out, words as they are, arguments of apps in brackets.</summary>
    static string Tokens(params string[] arguments) => string.Join(' ', Invoke(arguments).Tokens.Select(token =>
        token.Option is { } option ? $"--{option.Name}={token.Text}" : token.Arguments is { } own ? $"[{string.Join(' ', own)}]" : token.Text));

    [Theory]
    [InlineData("run", "run")]
    [InlineData("run-prepared", "run-p")]
    [InlineData("enter", "e")]
    [InlineData("image list", "image", "list")]
    [InlineData("image list", "im", "li")]
    [InlineData("image rm", "i", "rm")]
    [InlineData("image list", "image", "--debug", "list")]
    [InlineData("internal", "internal")]
    [InlineData("rm", "--debug", "rm", "x")]
    public void Commands_may_be_shortened_as_long_as_they_are_unique(string name, params string[] arguments) => Assert.Equal(name, Invoke(arguments).Command.Name);

    [Theory]
    [InlineData("'r' may stand for run, run-prepared, rm: write more of it", "r")]
    [InlineData("'r' may stand for rm, render: write more of it", "image", "r")]
    [InlineData("there is no command 'fly'; see nacelle help", "fly")]
    [InlineData("there is no command 'inter'; see nacelle help", "inter")]
    [InlineData("there is no command 'image fly'; see nacelle help image", "image", "fly")]
    [InlineData("there is no flag --quiet; see nacelle help", "image", "--quiet", "list")]
    [InlineData("there is no flag --nope for run; see nacelle help run", "run", "--nope", "x")]
    [InlineData("--policy needs a value: --policy=new|update|never", "run", "x", "--policy")]
    [InlineData("--quiet is true or false, not 'maybe'", "run", "--quiet=maybe")]
    [InlineData("image list: takes no arguments, and got 'x'", "image", "list", "x")]
    public void What_cannot_be_understood_is_refused_in_one_line(string message, params string[] arguments) => Assert.Equal(message, Refusal(arguments));

    [Theory]
    [InlineData("--policy=new a --quiet=true b --quiet=false", "run", "--policy=new", "a", "--quiet", "b", "--quiet=false")]
    [InlineData("--policy=new --debug=true a", "run", "--policy", "new", "--debug", "a")]
    [InlineData("--policy=-x a", "run", "--policy", "-x", "a")]
    [InlineData("--dir=/d a", "--dir=/d", "run", "a")]
    [InlineData("--dir=/d a", "run", "-dir", "/d", "a")]
    [InlineData("- a", "run", "-", "a")]
    public void Flags_may_stand_anywhere_and_have_their_value_behind_a_sign_or_a_blank(string tokens, params string[] arguments) => Assert.Equal(tokens, Tokens(arguments));

    [Theory]
    [InlineData("a [-x --help help]", "run", "a", "--", "-x", "--help", "help")]
    [InlineData("a [x] b --quiet=true [y ---y]", "run", "a", "--", "x", "---", "b", "--quiet", "--", "y", "---y")]
    [InlineData("a [] b", "run", "a", "--", "---", "b")]
    [InlineData("a b", "run", "a", "---", "b", "---")]
    [InlineData("a [x -- y] b", "run", "a", "--", "x", "--", "y", "---", "b")]
    public void Arguments_of_an_app_stand_between_two_dashes_and_three(string tokens, params string[] arguments) => Assert.Equal(tokens, Tokens(arguments));

    [Theory]
    [InlineData("-x --debug", "rm", "--", "-x", "--debug")]
    [InlineData("u -y", "rm", "u", "--", "-y")]
    public void Of_other_commands_two_dashes_end_the_flags(string tokens, params string[] arguments) => Assert.Equal(tokens, Tokens(arguments));

    [Theory]
    [InlineData("--app=a u ls --help -- -l", "enter", "--app=a", "u", "ls", "--help", "--", "-l")]
    [InlineData("u --debug=true ls -l", "enter", "u", "--debug", "ls", "-l")]
    [InlineData("u ls -l", "enter", "u", "--", "ls", "-l")]
    [InlineData("--uuid-file=f ls -l", "enter", "--uuid-file=f", "ls", "-l")]
    [InlineData("--uuid-file=f ls -- -l", "enter", "--uuid-file", "f", "ls", "--", "-l")]
    [InlineData("--uuid-file=f -l", "enter", "--uuid-file=f", "--", "-l")]
    public void The_command_line_of_somebody_else_stays_as_it_is(string tokens, params string[] arguments) => Assert.Equal(tokens, Tokens(arguments));

    [Theory]
    [InlineData(null, null, true, "help")]
    [InlineData(null, null, true, "--help")]
    [InlineData(null, null, true, "-h")]
    [InlineData(null, null, false)]
    [InlineData(null, null, false, "--debug")]
    [InlineData("run", null, true, "help", "run")]
    [InlineData("run", null, true, "run", "-h")]
    [InlineData("run", null, true, "run", "x", "--help")]
    [InlineData(null, "image", false, "image")]
    [InlineData(null, "image", false, "im", "--debug")]
    [InlineData(null, "image", true, "help", "image")]
    [InlineData(null, "image", true, "image", "--help")]
    [InlineData(null, "image", true, "image", "help")]
    [InlineData("image rm", "image", true, "image", "help", "rm")]
    [InlineData("image rm", "image", true, "help", "im", "rm")]
    public void Help_is_of_a_command_of_a_group_or_of_all(string? command, string? group, bool asked, params string[] arguments) => Assert.Equal(
        (command, group, asked), Assert.IsType<Request.Explain>(Parse(arguments)) is var help ? (help.Command?.Name, help.Group, help.IsAsked) : default);

    [Fact]
    public void What_another_executable_does_is_left_to_it_to_understand()
    {
        Assert.Equal("sample-fetch", Invoke("fetch", "--flags", "--of", "its", "own").Command.Program);
        Assert.Equal("sample-fetch", Invoke("help", "fetch").Command.Program);
    }
}
