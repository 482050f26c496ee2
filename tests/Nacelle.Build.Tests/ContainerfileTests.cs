using System.Text;
using Nacelle.Specs;

namespace Nacelle.Build.Tests;

public class ContainerfileTests
{
    static Containerfile Parse(string text) => Containerfile.Parse("Containerfile", Encoding.UTF8.GetBytes(text));

    static Instruction One(string text) => Assert.Single(Parse("FROM scratch\n" + text).Stages[0].Instructions);

    static string Complaint(string text) => Assert.Throws<SpecException>(() => Parse(text)).Message;

    [Fact]
    public void Continuation_lines_are_joined_and_comments_and_empty_lines_between_them_passed_over()
    {
        var run = Assert.IsType<RunInstruction>(One("RUN one \\\n  # a comment\n\n  two \\  \n three\n"));
        Assert.Equal("one   two  three", run.Command.Words[0]);
        Assert.True(run.Command.IsShell);
        Assert.Equal(2, run.Line);
    }

    [Fact]
    public void The_escape_directive_makes_the_backtick_the_escape_and_leaves_backslashes_alone()
    {
        var file = Parse("# syntax=docker/dockerfile:1\n# escape=`\nFROM scratch\nRUN dir C:\\ `\n  more\n");
        Assert.Equal('`', file.Escape);
        Assert.Equal("dir C:\\   more", Assert.IsType<RunInstruction>(file.Stages[0].Instructions[0]).Command.Words[0]);
    }

    [Fact]
    public void A_directive_below_a_comment_is_a_comment() => Assert.Equal('\\', Parse("# hello\n# escape=`\nFROM scratch\n").Escape);

    [Fact]
    public void A_command_in_JSON_is_a_list_and_one_that_only_looks_like_it_is_for_the_shell()
    {
        Assert.Equal(new[] { "/bin/a", "b c" }, Assert.IsType<RunInstruction>(One("RUN [\"/bin/a\", \"b c\"]")).Command.Words);
        Assert.True(Assert.IsType<RunInstruction>(One("RUN [ -f /x ] && true")).Command.IsShell);
    }

    [Fact]
    public void Heredocs_stand_in_the_order_of_their_names_and_keep_their_lines()
    {
        var copy = Assert.IsType<CopyInstruction>(One("COPY <<A <<-'B' plain /dir/\none\n# no comment\nA\n\ttwo $X\n\tB\n"));
        Assert.Equal(new[] { "plain" }, copy.Sources);
        Assert.Equal("/dir/", copy.Destination);
        Assert.Equal(("A", "one\n# no comment\n", true), (copy.Heredocs[0].Name, copy.Heredocs[0].Content, copy.Heredocs[0].Expand));
        Assert.Equal(("B", "two $X\n", false), (copy.Heredocs[1].Name, copy.Heredocs[1].Content, copy.Heredocs[1].Expand));
    }

    [Fact]
    public void A_shells_here_string_is_no_heredoc() => Assert.Empty(Assert.IsType<RunInstruction>(One("RUN cat <<< word")).Heredocs);

    [Fact]
    public void Stages_are_found_by_name_in_any_case_and_by_number_but_only_those_before()
    {
        var file = Parse("ARG V=1\nFROM a:$V AS Builder\nFROM b\nFROM builder AS last\n");
        Assert.Equal("V", Assert.Single(file.Globals).Arguments[0].Name);
        Assert.Equal(0, file.FindStage("BUILDER", 2)!.Index);
        Assert.Equal(1, file.FindStage("1", 2)!.Index);
        Assert.Null(file.FindStage("last", 2));
        Assert.Null(file.FindStage("2", 2));
    }

    [Fact]
    public void Flags_are_taken_off_before_the_arguments()
    {
        var copy = Assert.IsType<CopyInstruction>(One("COPY --from=builder --chown=1:2 --chmod=0755 --link --exclude=*.o --exclude=x a b /c/"));
        Assert.Equal(("builder", "1:2", "0755"), (copy.Flags.From, copy.Flags.Chown, copy.Flags.Chmod));
        Assert.Equal(new[] { "*.o", "x" }, copy.Flags.Excludes);
        Assert.Equal(new[] { "a", "b" }, copy.Sources);
    }

    [Fact]
    public void Pairs_are_read_in_both_forms()
    {
        Assert.Equal([("a", "1"), ("b", "\"x y\""), ("c", "d\\ e")], Assert.IsType<PairsInstruction>(One("ENV a=1 b=\"x y\" c=d\\ e")).Pairs);
        Assert.Equal([("a", "b c = d")], Assert.IsType<PairsInstruction>(One("ENV a b c = d")).Pairs);
    }

    [Fact]
    public void A_health_check_has_its_flags_and_its_command()
    {
        var check = Assert.IsType<HealthcheckInstruction>(One("HEALTHCHECK --interval=5s --retries=3 CMD curl localhost"));
        Assert.Equal("5s", check.Timing["interval"]);
        Assert.Equal("curl localhost", check.Command!.Words[0]);
        Assert.Null(Assert.IsType<HealthcheckInstruction>(One("HEALTHCHECK NONE")).Command);
    }

    [Theory]
    [InlineData("FROM scratch\n\nRUM x\n", "Containerfile:3: there is no instruction RUM")]
    [InlineData("RUN x\n", "Containerfile:1: RUN stands before the first FROM; only ARG may")]
    [InlineData("", "Containerfile: has no FROM: there is nothing to build")]
    [InlineData("FROM a b\n", "Containerfile:1: write FROM IMAGE or FROM IMAGE AS NAME")]
    [InlineData("FROM a AS x\nFROM b AS X\n", "Containerfile:2: FROM: another stage is named 'X'")]
    [InlineData("FROM a AS 1x\n", "Containerfile:1: '1x' cannot name a stage: begin with a letter, and use letters, digits, '-', '_' and '.'")]
    [InlineData("FROM a\nCOPY x\n", "Containerfile:2: COPY wants at least one source and a destination")]
    [InlineData("FROM a\nCOPY --frm=x a b\n", "Containerfile:2: COPY has no flag --frm")]
    [InlineData("FROM a\nRUN --security=insecure x\n", "Containerfile:2: --security=insecure: commands always run isolated; only sandbox is possible")]
    [InlineData("FROM a\nRUN <<EOF\nx\n", "Containerfile:2: the heredoc <<EOF has no end: no line says 'EOF'")]
    [InlineData("FROM a\nONBUILD FROM x\n", "Containerfile:2: ONBUILD FROM is not possible")]
    [InlineData("FROM a\nSHELL bash\n", "Containerfile:2: SHELL is a list in JSON: SHELL [\"/bin/bash\", \"-c\"]")]
    [InlineData("FROM a\nENV x\n", "Containerfile:2: ENV x: the value is missing: write x=VALUE")]
    [InlineData("# escape=x\nFROM a\n", "Containerfile:1: escape=x: the escape character is \\ or `")]
    [InlineData("FROM a\n\\\n", "Containerfile:2: a lone escape character is no instruction")]
    [InlineData("FROM a\nWORKDIR\n", "Containerfile:2: WORKDIR says nothing")]
    public void Bad_input_is_told_with_its_line(string text, string message) => Assert.Equal(message, Complaint(text));
}
