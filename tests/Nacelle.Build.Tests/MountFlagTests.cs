using CsCheck;

namespace Nacelle.Build.Tests;

public class MountFlagTests
{
    [Fact]
    public void A_cache_has_its_target_for_an_id_and_can_be_written_to()
    {
        var mount = MountFlag.Parse("type=cache,target=work/cache,mode=0700,uid=5", "/app");
        Assert.Equal(("/app/work/cache", "work/cache", 0x1C0u, 5u, false), (mount.Target, mount.Id, mount.Mode, mount.User, mount.ReadOnly));
    }

    [Theory]
    [InlineData("type=ssh", "default", "/run/nacelle-build/ssh-agent.default", 0x180u)]
    [InlineData("type=ssh,id=work,target=/agent,mode=0666", "work", "/agent", 0x1B6u)]
    public void An_agent_needs_neither_id_nor_target(string text, string id, string target, uint mode)
    {
        var mount = MountFlag.Parse(text, "/");
        Assert.Equal((id, target, mode), (mount.Id, mount.Target, mount.Mode));
    }

    [Theory]
    [InlineData("target=/x", true)]
    [InlineData("target=/x,rw", false)]
    [InlineData("target=/x,ro=false", false)]
    [InlineData("type=tmpfs,target=/x", false)]
    [InlineData("type=cache,target=/x,readonly", true)]
    public void A_bind_is_read_only_unless_it_says_otherwise(string text, bool readOnly) => Assert.Equal(readOnly, MountFlag.Parse(text, "/").ReadOnly);

    [Theory]
    [InlineData("type=agent", "--mount=type=agent: there is no type 'agent'")]
    [InlineData("type=bind", "--mount=type=bind: the target is missing")]
    [InlineData("type=tmpfs,target=/x,colour=red", "--mount=type=tmpfs,target=/x,colour=red: there is no 'colour'")]
    [InlineData("type=cache,target=/x,sharing=all", "--mount=type=cache,target=/x,sharing=all: sharing=all: use shared, private or locked")]
    [InlineData("type=cache,target=/x,mode=9", "--mount=type=cache,target=/x,mode=9: mode=9 is no number")]
    public void What_no_mount_can_be_is_refused(string text, string message) => Assert.Equal(message, Assert.Throws<BuildException>(() => MountFlag.Parse(text, "/")).Message);

    [Fact]
    public void Every_text_is_read_or_refused() => Gen.String[Gen.Char["typebindsecrtaghfomiduk=,/\"0189"], 0, 60].Sample(
        text =>
        {
            try
            {
                MountFlag.Parse("type=cache,target=/x," + text, "/");
                MountFlag.Parse(text, "/");
            }
            catch (BuildException)
            {
                // In words for a person.
            }
        },
        iter: 20_000);
}
