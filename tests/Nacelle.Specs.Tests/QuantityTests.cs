namespace Nacelle.Specs.Tests;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("128", 128)]
    [InlineData("128M", 128_000_000)]
    [InlineData("1.5Gi", 1_610_612_736)]
    [InlineData("1e3", 1000)]
    [InlineData("100m", 1)]
    [InlineData("4Ki", 4096)]
    public void Bytes_are_counted_in_whole_units_rounded_up(string text, long expected) => Assert.Equal(expected, Quantity.ParseWhole(text, "at"));

    [Theory]
    [InlineData("750m", 750)]
    [InlineData("1.5", 1500)]
    [InlineData("2", 2000)]
    public void Processors_are_counted_in_thousandths(string text, long expected) => Assert.Equal(expected, Quantity.ParseThousandths(text, "at"));

    [Theory]
    [InlineData("")]
    [InlineData("lots")]
    [InlineData("-1")]
    [InlineData("1X")]
    [InlineData("1e40")]
    [InlineData("99999999E")]
    public void What_is_no_amount_is_refused_with_its_path(string text) =>
        Assert.StartsWith("at: ", Assert.Throws<SpecException>(() => Quantity.ParseWhole(text, "at")).Message, StringComparison.Ordinal);
}
