using System.Text.RegularExpressions;

namespace Nacelle.Oci.Tests;

/// <summary>docs/spec-conformance.md, against the tests that there are.</summary>
public sealed partial class ConformancePageTests
{
    [Fact]
    public void Every_test_that_the_page_names_exists()
    {
        var named = Named().Matches(Page()).Select(match => match.Groups["test"].Value).ToList();
        Assert.True(named.Count > 150, $"{named.Count} names");
        Assert.Empty(named.Except(Tests()));
    }

    [Fact]
    public void No_row_names_a_test_twice_and_no_sentence_is_there_twice()
    {
        var rows = Page().Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal) && Named().IsMatch(line)).ToList();
        Assert.All(rows, row => Assert.Distinct(Named().Matches(row).Select(match => match.Value)));
        Assert.Distinct(rows.Select(row => row.Split('|')[1]));
    }

    [Fact]
    public void Every_row_names_a_test()
    {
        var page = Page();
        var tables = page[..page.IndexOf("## What is not shown here", StringComparison.Ordinal)].Split('\n');
        Assert.All(tables.Where(line => line.StartsWith("| ", StringComparison.Ordinal) && line != "| what must be | shown by |"), line => Assert.Matches(Named(), line));
    }

    static HashSet<string> Tests() => typeof(ConformancePageTests).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods().Where(method => method.GetCustomAttributes(typeof(FactAttribute), inherit: true).Length > 0).Select(method => $"{type.Name}.{method.Name}"))
        .ToHashSet();

    static string Page()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists($"{directory}/docs/spec-conformance.md"))
            {
                return File.ReadAllText($"{directory}/docs/spec-conformance.md");
            }
        }

        throw new InvalidOperationException("docs/spec-conformance.md is not above the tests");
    }

    [GeneratedRegex("`(?<test>[A-Za-z]+Tests\\.[A-Za-z0-9_]+)`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Named();
}
