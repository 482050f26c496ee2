using System.Diagnostics;
using System.Text;

namespace Nacelle.Specs.Tests;

public sealed class HostileDocumentTests
{
    static SpecException Refused(ReadOnlySpan<byte> json)
    {
        try
        {
            RuntimeConfig.Parse(json, "config.json");
        }
        catch (SpecException problem)
        {
            return problem;
        }

        throw new InvalidOperationException("was taken: " + Encoding.UTF8.GetString(json));
    }

    [Fact]
    public void Nesting_without_end_is_refused() =>
        Assert.Contains("nested deeper than 64", Refused(Encoding.UTF8.GetBytes("{\"ociVersion\":" + new string('[', 100_000))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"ociVersion":"1.0.0","ociVersion":"1.0.0"}""")]
    [InlineData("""{"ociVersion":"1.0.0","linux":{"cgroupsPath":"/a","cgroupsPat\u0068":"/b"}}""")]
    [InlineData("""{"ociVersion":"1.0.0","linux":{"sysctl":{"net.a":"1","net.a":"2"}}}""")]
    public void What_is_said_twice_is_refused(string json) => Assert.Contains("twice", Refused(Encoding.UTF8.GetBytes(json)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("99999999999999999999999999999999999999")]
    [InlineData("1e400")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("-9223372036854775809")]
    [InlineData("\"1\"")]
    [InlineData("true")]
    public void What_is_no_whole_number_is_refused_where_one_is_wanted(string number)
    {
        var problem = Refused(Encoding.UTF8.GetBytes("""{"ociVersion":"1.0.0","linux":{"resources":{"memory":{"limit":?}}}}""".Replace("?", number, StringComparison.Ordinal)));
        Assert.Equal("linux.resources.memory.limit", problem.Path);
    }

    [Theory]
    [InlineData("""{"ociVersion":"1.0.0","hostname":"\ud800"}""", "hostname")]
    [InlineData("""{"ociVersion":"1.0.0","linux":{"sysctl":{"\udc00":"1"}}}""", "")]
    [InlineData("""{"ociVersion":"1.0.0","\ud800":"1"}""", "")]
    public void Half_a_character_is_refused(string json, string path) => Assert.Equal(path, Refused(Encoding.UTF8.GetBytes(json)).Path);

    [Theory]
    [InlineData("""{"ociVersion":"1.0.0","hostname":"?"}""")]
    [InlineData("""{"ociVersion":"1.0.0","hostname":["?"]}""")]
    [InlineData("""{"ociVersion":"1.0.0","annotations":{"?":"1"}}""")]
    [InlineData("""{"ociVersion":"1.0.0","?":"1"}""")]
    [InlineData("""{"ociVersion":"1.0.0","linux":{"?":"1"}}""")]
    public void Bytes_that_are_no_text_are_refused(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        bytes[json.IndexOf('?', StringComparison.Ordinal)] = 0xFF;
        Assert.StartsWith("config.json: ", Refused(bytes).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_quoted_from_a_document_stays_on_the_line()
    {
        var message = Refused("{\"ociVersion\":[\n\t\"\\u001b[2J\",\n1]}"u8).Message;
        Assert.DoesNotContain(message, char.IsControl);
        Assert.StartsWith("config.json: ociVersion: [", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_list_is_read_in_a_time_that_grows_with_its_length()
    {
        var json = Encoding.UTF8.GetBytes("{\"ociVersion\":\"1.0.0\",\"mounts\":[" + string.Join(',', Enumerable.Repeat("{\"destination\":\"/\"}", 200_000)) + "]}");
        var clock = Stopwatch.StartNew();
        Assert.Equal(200_000, RuntimeConfig.Parse(json, "config.json").Mounts.Count);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"took {clock.Elapsed}"); // by index it takes minutes
    }

    [Fact]
    public void A_document_that_is_too_long_is_not_read() => Assert.Contains("at most", Refused(new byte[(16 << 20) + 1]).Message, StringComparison.Ordinal);
}
