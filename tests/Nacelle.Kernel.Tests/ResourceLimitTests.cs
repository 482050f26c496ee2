using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class ResourceLimitTests
{
    [Theory]
    [InlineData("RLIMIT_NOFILE", ResourceLimit.OpenFiles)]
    [InlineData("nproc", ResourceLimit.Processes)]
    [InlineData("RLIMIT_RTTIME", ResourceLimit.RealTimeTime)]
    public void A_name_is_read(string text, ResourceLimit limit)
    {
        Assert.True(ResourceLimits.TryParse(text, out var parsed));
        Assert.Equal(limit, parsed);
        Assert.False(ResourceLimits.TryParse(text + "X", out _));
    }

    [Fact]
    public void A_limit_of_another_process_is_lowered()
    {
        using var process = System.Diagnostics.Process.Start("/bin/sleep", "1000");
        try
        {
            ResourceLimits.Set(ResourceLimit.OpenFiles, new LimitRange(10, 20), process.Id);
            Assert.Equal(new LimitRange(10, 20), ResourceLimits.Get(ResourceLimit.OpenFiles, process.Id));
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
        }
    }

    [Fact]
    public void A_soft_limit_above_the_hard_one_is_refused_and_named()
    {
        var failure = Assert.Throws<KernelException>(() => ResourceLimits.Set(ResourceLimit.Core, new LimitRange(2, 1)));
        Assert.Equal("set RLIMIT_CORE to 2:1", failure.Operation);
        Assert.Equal(Errno.EINVAL, failure.Errno);
    }
}
