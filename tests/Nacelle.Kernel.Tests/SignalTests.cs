using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class SignalTests
{
    [Theory]
    [InlineData("SIGTERM", 15)]
    [InlineData("TERM", 15)]
    [InlineData("15", 15)]
    [InlineData("KILL", 9)]
    public void A_signal_is_read_by_name_or_number(string text, int number) => Assert.Equal((Signal)number, SignalNames.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("SIG")]
    [InlineData("NONSENSE")]
    [InlineData("0")]
    [InlineData("65")]
    public void What_is_no_signal_is_refused(string text) => Assert.Null(SignalNames.Parse(text));
}
