namespace Nacelle.Build.Tests;

public class ExpansionTests
{
    static readonly Dictionary<string, string> Values = new()
    {
        ["A"] = "foo", ["EMPTY"] = "", ["B"] = "x y", ["PATHS"] = "/usr/local/lib", ["V"] = "foobarbaz",
    };

    static Expansion Expansion => new(Values.GetValueOrDefault, '\\');

    // buildah 1.28 takes the backslash away all the same.
    [Fact]
    public void With_another_escape_a_backslash_is_a_letter() => Assert.Equal("back\\slash foo", new Expansion(Values.GetValueOrDefault, '`').Word("back\\slash` $A"));

    [Theory]
    [InlineData("$A", "foo")]
    [InlineData("${A}bar", "foobar")]
    [InlineData("$A_b", "")]
    [InlineData("\\$A", "$A")]
    [InlineData("'$A'", "$A")]
    [InlineData("\"$A \\\"q\\\"\"", "foo \"q\"")]
    [InlineData("${X:-d}", "d")]
    [InlineData("${EMPTY:-d}", "d")]
    [InlineData("${EMPTY-d}", "")]
    [InlineData("${X-d}", "d")]
    [InlineData("${A:+a}", "a")]
    [InlineData("${EMPTY:+a}", "")]
    [InlineData("${EMPTY+a}", "a")]
    [InlineData("${X:-${A}-$EMPTY}", "foo-")]
    [InlineData("${X:-'a}b'}", "a}b")]
    [InlineData("$", "$")]
    [InlineData("$1", "$1")]
    [InlineData("a$", "a$")]
    [InlineData("$B", "x y")]
    [InlineData("${PATHS#*/}", "usr/local/lib")]
    [InlineData("${PATHS##*/}", "lib")]
    [InlineData("${PATHS%/*}", "/usr/local")]
    [InlineData("${PATHS%%/*}", "")]
    [InlineData("${V/ba?/-}", "foo-baz")]
    [InlineData("${V//ba?/-}", "foo--")]
    [InlineData("a\\ b", "a b")]
    public void A_word_becomes(string word, string expanded) => Assert.Equal(expanded, Expansion.Word(word));

    [Theory]
    [InlineData("${", "has a '${' without a name and a '}' behind it")]
    [InlineData("${A", "has a '${' without a name and a '}' behind it")]
    [InlineData("${A:-b", "lacks a '}'")]
    [InlineData("'a", "has a single quote without its end")]
    [InlineData("\"a", "has a double quote without its end")]
    [InlineData("${X:?say it}", "wants X: say it")]
    [InlineData("${A!b}", "has a '${A' with something behind it that is no '}' and means nothing")]
    public void A_word_is_refused(string word, string message) => Assert.Equal(message, Assert.Throws<ExpansionException>(() => Expansion.Word(word)).Message);

    [Fact]
    public void In_lists_unquoted_blanks_of_a_value_part_words() => Assert.Equal(new[] { "ax", "yb", "x y" }, Expansion.List("a${B}b \"$B\""));

    [Fact]
    public void In_files_quotes_stay() => Assert.Equal("'foo' \"foo\" $A\n", Expansion.FileText("'$A' \"${A}\" \\$A\n"));
}
