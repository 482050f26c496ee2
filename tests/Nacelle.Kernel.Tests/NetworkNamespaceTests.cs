using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public sealed class NetworkNamespaceTests : IDisposable
{
    readonly TestNetwork network = new();

    [KernelFact]
    public void What_is_done_in_a_namespace_sees_its_devices_and_settings_and_leaves_the_caller_where_he_was()
    {
        network.Ip("link add inside0 type bridge");
        using var before = NetworkNamespace.OpenOwn();
        bool seen = false;
        network.Run(() => seen = Files.Exists(FileDescriptor.WorkingDirectory, "/proc/sys/net/ipv4/conf/inside0"));
        Assert.True(seen);
        using var after = NetworkNamespace.OpenOwn();
        Assert.Equal(Files.Status(before).Inode, Files.Status(after).Inode);
        Assert.False(Files.Exists(FileDescriptor.WorkingDirectory, "/proc/sys/net/ipv4/conf/inside0"));
    }

    [KernelFact]
    public void What_fails_in_a_namespace_is_the_callers_failure()
    {
        var failure = Assert.Throws<InvalidOperationException>(() => network.Run(() => throw new InvalidOperationException("inside")));
        Assert.Equal("inside", failure.Message);
    }

    [KernelFact]
    public void What_is_no_namespace_is_refused_by_name()
    {
        using var file = Files.Open("/dev/null", OpenFlags.ReadOnly);
        var failure = Assert.Throws<KernelException>(() => NetworkNamespace.Run(file, () => { }));
        Assert.Equal("join network namespace /dev/null: EINVAL (Invalid argument)", failure.Message);
    }

    public void Dispose() => network.Dispose();
}
