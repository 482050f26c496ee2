using static Nacelle.CommandLine.Tests.SampleCommands;

namespace Nacelle.CommandLine.Tests;

public sealed class ManualPageTests
{
    static readonly Dictionary<string, string> Pages = new(ManualPage.Of(Program, "2026-01-02"));

    [Fact]
    public void There_is_a_page_of_the_program_and_of_each_command_of_its_own() => Assert.Equal(
        ["nacelle-completion.1", "nacelle-enter.1", "nacelle-image-list.1", "nacelle-image-render.1", "nacelle-image-rm.1", "nacelle-rm.1", "nacelle-run-prepared.1", "nacelle-run.1", "nacelle.1"],
        Pages.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void A_helper_has_pages_of_its_commands_only()
    {
        var fetch = new CommandProgram("nacelle-helper", "helps", [new Command("fetch", "IMAGE…", "fetch images", [], _ => 0)], _ => false);
        var (name, page) = Assert.Single(ManualPage.Of(fetch, ""));
        Assert.Equal("nacelle-fetch.1", name);
        Assert.Contains("nacelle\\-fetch \\- fetch images\n", page, StringComparison.Ordinal);
    }

    [Fact]
    public void No_letter_of_a_text_means_anything_to_the_formatter()
    {
        var page = Pages["nacelle-image-render.1"];
        Assert.StartsWith(".TH NACELLE-IMAGE-RENDER 1 2026-01-02 nacelle", page, StringComparison.Ordinal);
        Assert.Contains("\n\\-\\- and \\(aqthis\\(aq stay.\n", page, StringComparison.Ordinal);
        Assert.Contains("\n\\fB\\-t\\fR=\\fINAME\\fR\na name\n", page, StringComparison.Ordinal);
        Assert.All(Pages.Values, text => Assert.All(text, letter => Assert.InRange(letter, '\n', '~')));
    }

    [Fact]
    public void The_program_s_page_names_all_commands_but_hidden_ones()
    {
        Assert.Contains(".BR nacelle\\-fetch (1)\nfetch images\n", Pages["nacelle.1"], StringComparison.Ordinal);
        Assert.DoesNotContain("internal", Pages["nacelle.1"], StringComparison.Ordinal);
    }
}
