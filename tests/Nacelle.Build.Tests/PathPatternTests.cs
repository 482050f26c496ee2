using System.Text;
using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Build.Tests;

public class PathPatternTests
{
    [Theory]
    [InlineData("*.txt", "a.txt", true)]
    [InlineData("*.txt", "dir/a.txt", false)]
    [InlineData("*", ".hidden", true)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "a/c", false)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[^a-c]x", "bx", false)]
    [InlineData("[]]x", "]x", true)]
    [InlineData("a\\*b", "a*b", true)]
    [InlineData("a\\*b", "axb", false)]
    [InlineData("**/x", "x", true)]
    [InlineData("**/x", "a/b/x", true)]
    [InlineData("**/x", "ax", false)]
    [InlineData("a/**", "a/b/c", true)]
    [InlineData("a/**/b", "a/b", true)]
    [InlineData("a/**/b", "a/x/y/b", true)]
    [InlineData("a/**/b", "a/xb", false)]
    [InlineData("**.go", "a/b.go", true)]
    [InlineData("", "", true)]
    public void A_pattern_matches(string pattern, string path, bool matches) => Assert.Equal(matches, new PathPattern(pattern, directories: true).IsMatch(path));

    [Theory]
    [InlineData("a\nb/*.c\n!b/keep.c\n", "a/below", true)]
    [InlineData("a\nb/*.c\n!b/keep.c\n", "b/x.c", true)]
    [InlineData("a\nb/*.c\n!b/keep.c\n", "b/keep.c", false)]
    [InlineData("!a\na\n", "a", true)]
    [InlineData("/a/\n", "a", true)]
    [InlineData("./a\n# b\n  c  \n", "c", true)]
    [InlineData("./a\n# b\n", "b", false)]
    [InlineData("*\n!src\n", "src/x", false)]
    public void The_last_pattern_that_matches_decides(string text, string path, bool excluded) =>
        Assert.Equal(excluded, IgnorePatterns.Parse("ignore", Encoding.UTF8.GetBytes(text)).Excludes(path));

    [Fact]
    public void A_malformed_pattern_is_told_with_its_line() => Assert.Equal(
        "ignore:2: '[a' lacks a ']'", Assert.Throws<SpecException>(() => IgnorePatterns.Parse("ignore", "x\n[a\n"u8)).Message);

    [Fact]
    public void Every_mutation_is_read_or_refused_in_one_line() => Gen.Select(Gen.String[Gen.Char["*?[]!^-\\/ab.#\n"], 0, 40], Gen.String[Gen.Char["ab/.*[]"], 0, 30]).Sample(
        (text, path) =>
        {
            try
            {
                IgnorePatterns.Parse("ignore", Encoding.UTF8.GetBytes(text)).Excludes(path.Trim('/'));
            }
            catch (SpecException refused)
            {
                Assert.StartsWith("ignore:", refused.Message);
                Assert.DoesNotContain('\n', refused.Message);
            }
        },
        iter: 20_000);

    [Fact]
    public void Many_stars_take_no_more_time_than_their_number_and_the_path_s_length() =>
        Assert.False(new PathPattern(string.Concat(Enumerable.Repeat("*a", 1000)) + "b", directories: true).IsMatch(new string('a', 4000)));
}
