using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class SyscallTableTests
{
    [Theory]
    [InlineData("read", 0, 3, 0, 63, 3)]
    [InlineData("openat2", 437, 437, 437, 437, 437)]
    [InlineData("open", 2, 5, 2, -1, 5)]
    [InlineData("ioctl", 16, 54, 514, 29, 54)]
    [InlineData("newfstatat", 262, -1, 262, 79, -1)]
    [InlineData("socketcall", -1, 102, -1, -1, -1)]
    [InlineData("set_tls", -1, -1, -1, -1, 0x0f0005)]
    [InlineData("mseal", 462, 462, 462, 462, 462)]
    [InlineData("no_such_call", -1, -1, -1, -1, -1)]
    public void A_call_has_its_number_on_every_architecture(string name, int x64, int x86, int x32, int arm64, int arm) =>
        Assert.Equal((x64, x86, x32, arm64, arm), (
            SyscallTable.Number(name, SeccompArchitecture.X64), SyscallTable.Number(name, SeccompArchitecture.X86), SyscallTable.Number(name, SeccompArchitecture.X32),
            SyscallTable.Number(name, SeccompArchitecture.Arm64), SyscallTable.Number(name, SeccompArchitecture.Arm)));

    [Fact]
    public void Every_name_is_found_where_it_stands() =>
        Assert.All(Enumerable.Range(0, SyscallTable.Count), place => Assert.Equal(place, SyscallTable.Find(SyscallTable.Name(place))));

    [Fact]
    public void No_two_calls_have_one_number() =>
        Assert.All(Enum.GetValues<SeccompArchitecture>(), architecture =>
        {
            var numbered = Enumerable.Range(0, SyscallTable.Count)
                .Select(place => (Name: SyscallTable.Name(place), Number: SyscallTable.Number(place, architecture)))
                .Where(call => call.Number >= 0 && call.Name != "arm_sync_file_range"); // another name of sync_file_range2
            Assert.DoesNotContain(numbered.GroupBy(call => call.Number), group => group.Count() > 1);
        });

    [Fact]
    public void The_default_profile_names_only_calls_that_exist_somewhere()
    {
        var everything = new CapabilitySet((1ul << 41) - 1);
        var unknown = SeccompFilter.Compile(DefaultSeccompProfile.For(everything, new Version(6, 1), SeccompArchitecture.X64)).UnknownNames;
        Assert.Equal(["riscv_hwprobe"], unknown);
    }

    [Theory]
    [InlineData("@docker/default-whitelist", "read")]
    [InlineData("@rkt/default-whitelist", "clone")]
    [InlineData("@docker/default-blacklist", "kexec_load")]
    [InlineData("@rkt/default-blacklist", "mount")]
    [InlineData("@systemd/clock", "settimeofday")]
    [InlineData("@systemd/default-whitelist", "futex")]
    [InlineData("@systemd/mount", "umount2")]
    [InlineData("@systemd/network-io", "accept4")]
    [InlineData("@systemd/obsolete", "uselib")]
    [InlineData("@systemd/privileged", "chown")]
    [InlineData("@systemd/process", "fork")]
    [InlineData("@systemd/raw-io", "iopl")]
    [InlineData("@appc.io/all", "read")]
    public void A_named_set_holds_what_it_is_named_for(string set, string member) => Assert.Contains(member, SeccompSets.Expand(set)!);

    [Fact]
    public void An_unknown_set_is_refused_by_name()
    {
        Assert.Null(SeccompSets.Expand("@rkt/nonsense"));
        Assert.Contains("@rkt/nonsense", Assert.Throws<ArgumentException>(() => SeccompSets.Retain(["@rkt/nonsense"], null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Retaining_all_means_no_filter_and_removing_nothing_the_default()
    {
        Assert.Null(SeccompSets.Retain(["@appc.io/all"], null));
        Assert.Null(SeccompSets.Remove(["@appc.io/empty"], null));
    }
}
