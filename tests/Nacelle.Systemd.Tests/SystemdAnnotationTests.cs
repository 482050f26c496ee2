namespace Nacelle.Systemd.Tests;

public class SystemdAnnotationTests
{
    [Theory]
    [InlineData("'inactive-or-failed'", "'inactive-or-failed'")]
    [InlineData("\"a'b\\n\\u00fc\"", "'a\\'b\nü'")]
    [InlineData("true", "true")]
    [InlineData("15", "15")]
    [InlineData("-15", "-15")]
    [InlineData("uint64 5000000", "uint64 5000000")]
    [InlineData("@t 0x10", "uint64 16")]
    [InlineData("uint64 18446744073709551615", "uint64 18446744073709551615")]
    [InlineData("int64 -9223372036854775808", "int64 -9223372036854775808")]
    [InlineData("byte 255", "byte 0xff")]
    [InlineData("1.5", "1.5")]
    [InlineData("['a', 'b']", "['a', 'b']")]
    [InlineData("@as []", "@as []")]
    [InlineData("@au [1, 2]", "[uint32 1, uint32 2]")]
    [InlineData("[('/dev/null', 'rw'), ('a', 'b')]", "[('/dev/null', 'rw'), ('a', 'b')]")]
    [InlineData("@a(st) [('x', 5)]", "[('x', uint64 5)]")]
    [InlineData("<int16 5>", "<int16 5>")]
    public void A_value_is_read(string text, string value) => Assert.Equal(new("CollectMode", value), (SystemdAnnotation.Parse("CollectMode", text).Name, $"{SystemdAnnotation.Parse("CollectMode", text).Value}"));

    [Theory]
    [InlineData("")]
    [InlineData("'a")]
    [InlineData("'a' b")]
    [InlineData("[]")]
    [InlineData("[1, 'a']")]
    [InlineData("5000000000")]
    [InlineData("uint32 -1")]
    [InlineData("@ab [1]")]
    [InlineData("{'a': 1}")]
    [InlineData("inactive")]
    [InlineData("@a 5")]
    [InlineData("<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<")]
    [InlineData("--5")]
    public void What_is_no_value_is_refused(string text) => Assert.Throws<ArgumentException>(() => SystemdAnnotation.Parse("CollectMode", text));

    [Theory]
    [InlineData("TimeoutStopSec", "5", "TimeoutStopUSec=uint64 5000000")]
    [InlineData("TimeoutStopSec", "1.5", "TimeoutStopUSec=uint64 1500000")]
    [InlineData("TimeoutStopUSec", "uint64 7", "TimeoutStopUSec=uint64 7")]
    public void Seconds_become_microseconds(string name, string text, string property) => Assert.Equal(property, $"{SystemdAnnotation.Parse(name, text)}");

    [Theory]
    [InlineData("TimeoutStopSec", "'5'")]
    [InlineData("TimeoutStopSec", "-5")]
    [InlineData("a", "5")]
    [InlineData("CPU1", "5")]
    [InlineData("A.B.C", "5")]
    public void What_is_no_property_is_refused(string name, string text) => Assert.Throws<ArgumentException>(() => SystemdAnnotation.Parse(name, text));
}
