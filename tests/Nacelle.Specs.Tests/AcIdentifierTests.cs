using CsCheck;

namespace Nacelle.Specs.Tests;

/// <summary>appc 0.8.11, spec/types.md, "AC Identifier Type": names, and how texts become some.</summary>
public sealed class AcIdentifierTests
{
    [Theory]
    [InlineData("example.com/app", "example.com/app")]
    [InlineData("127.0.0.1:5000/redis", "127.0.0.1-5000/redis")]
    [InlineData("oci:/srv/images", "oci/srv/images")]
    [InlineData("Some Registry/App__1", "some-registry/app-1")]
    [InlineData("/a//b/", "a/b")]
    [InlineData("a~b", "a~b")]
    public void Other_letters_give_way_to_marks(string text, string name) => Assert.Equal(name, AcIdentifier.From(text));

    [Fact]
    public void Whatever_becomes_a_name_is_one_and_names_stay() => Gen.String[Gen.Char["abAB09-._~/: é\0"], 0, 12].Sample(text =>
    {
        if (!text.Any(letter => char.IsAsciiLetterOrDigit(letter)))
        {
            Assert.Throws<SpecException>(() => AcIdentifier.From(text));
            return;
        }

        Assert.True(AcIdentifier.IsValid(AcIdentifier.From(text)));
        Assert.True(!AcIdentifier.IsValid(text) || AcIdentifier.From(text) == text);
    });
}
