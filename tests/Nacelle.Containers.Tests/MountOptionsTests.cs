using Nacelle.Linux;

namespace Nacelle.Containers.Tests;

public sealed class MountOptionsTests
{
    [Fact]
    public void Attributes_propagation_and_file_system_options_are_told_apart()
    {
        var options = MountOptions.Parse(["ro", "nosuid", "noatime", "rbind", "rslave", "rro", "mode=755", "newinstance"], "none");
        Assert.Equal(MountAttributes.ReadOnly | MountAttributes.NoSetUserId | MountAttributes.NoAccessTime, options.Set);
        Assert.Equal(MountAttributes.ReadOnly, options.SetRecursively);
        Assert.True(options.IsBind && options.IsRecursiveBind && options.PropagationIsRecursive);
        Assert.Equal(MountPropagation.Slave, options.Propagation);
        Assert.Equal(["mode=755", "newinstance"], options.FileSystem);
    }

    [Fact]
    public void The_later_of_two_opposites_counts()
    {
        var options = MountOptions.Parse(["ro", "rw", "dev", "nodev"], null);
        Assert.Equal(MountAttributes.NoDevices, options.Set);
        Assert.Equal(MountAttributes.ReadOnly, options.Clear);
    }
}
