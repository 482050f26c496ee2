using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class CapabilityTests
{
    [Theory]
    [InlineData("CAP_NET_ADMIN", Capability.NetAdmin)]
    [InlineData("net_admin", Capability.NetAdmin)]
    [InlineData("Cap_Checkpoint_Restore", Capability.CheckpointRestore)]
    public void A_name_is_read_with_or_without_its_prefix_in_any_case(string text, Capability capability)
    {
        Assert.True(CapabilityNames.TryParse(text, out var parsed));
        Assert.Equal(capability, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("CAP_")]
    [InlineData("CAP_NET_ADMIN ")]
    [InlineData("CAP_CAP_CHOWN")]
    public void What_is_no_name_is_refused(string text) => Assert.False(CapabilityNames.TryParse(text, out _));

    [Fact]
    public void Every_capability_has_the_name_of_its_number() =>
        Assert.All(Enum.GetValues<Capability>(), capability => Assert.True(CapabilityNames.TryParse(capability.Name(), out var parsed) && parsed == capability, capability.Name()));

    [Fact]
    public void The_customary_fourteen_are_the_default() => Assert.Equal(14, CapabilitySet.Default.Members().Count());

    [Fact]
    public void Sets_join_meet_and_part()
    {
        var set = CapabilitySet.Of(Capability.Chown, Capability.Kill);
        Assert.Equal("CAP_CHOWN,CAP_KILL", set.ToString());
        Assert.Equal(CapabilitySet.Of(Capability.Kill), set.Except(CapabilitySet.Of(Capability.Chown)));
        Assert.Equal(set, set.Without(Capability.Kill).Union(CapabilitySet.Of(Capability.Kill)).Intersect(set));
    }

    [Fact]
    public void The_kernels_capabilities_hold_those_of_this_process()
    {
        Assert.Equal(CapabilitySet.Empty, CapabilitySet.Effective().Except(CapabilitySet.All()));
        Assert.Equal(CapabilitySet.Empty, CapabilitySet.Effective().Except(CapabilitySet.OfProcess("self", "CapPrm")));
    }
}
