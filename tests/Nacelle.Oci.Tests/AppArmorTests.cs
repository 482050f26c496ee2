namespace Nacelle.Oci.Tests;

/// <summary>Programs that AppArmor confines, where the kernel runs it.</summary>
public sealed class AppArmorTests
{
    const string Look = "cat /proc/self/attr/current; (echo word >/data/denied) 2>/dev/null && echo written; echo word >/data/allowed && echo allowed";

    // config.md, "Linux Process", apparmorProfile: the program runs under the profile, which holds.
    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void A_profile_confines_the_program(bool hasUsers, bool noNewPrivileges)
    {
        using var profile = new AppArmorProfile();
        using var machine = new OciMachine();
        var bundle = machine.Shell(Look);
        machine.Share(bundle);
        bundle.Process["apparmorProfile"] = profile.Name;
        bundle.Process["noNewPrivileges"] = noNewPrivileges;
        if (hasUsers)
        {
            bundle.SetUsers();
        }

        Assert.Equal($"{profile.Enforced}\nallowed", machine.OutputOf(bundle));
    }

    // config.md, "Linux Process", apparmorProfile: without one the program is as free as its caller.
    [Fact]
    public void Without_a_profile_the_program_is_not_confined()
    {
        using var profile = new AppArmorProfile();
        using var machine = new OciMachine();
        var bundle = machine.Shell(Look);
        machine.Share(bundle);
        Assert.Equal("unconfined\nwritten\nallowed", machine.OutputOf(bundle));
    }

    // The same for a further process: the container's profile, or the one that is given for it alone.
    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "--apparmor=")]
    public void A_profile_confines_who_joins(bool ofContainer, string option)
    {
        using var profile = new AppArmorProfile();
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        machine.Share(bundle);
        if (ofContainer)
        {
            bundle.Process["apparmorProfile"] = profile.Name;
        }

        var id = machine.Start(bundle.Write());
        string[] options = option.Length > 0 ? [option + profile.Name] : [];
        var exec = machine.Oci(["exec", .. options, id, "/bin/sh", "-c", Look]);
        Assert.True(exec.Output == $"{profile.Enforced}\nallowed\n", exec.ToString());
    }

    // runtime.md, "Create": a profile that is not loaded is an error, and the program does not run without.
    [Fact]
    public void A_profile_that_is_not_loaded_is_an_error()
    {
        using var profile = new AppArmorProfile();
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var id = machine.Start(bundle.Write());
        Expectations.Fails(machine.Oci("exec", "--apparmor=no-such-profile", id, "/bin/echo", "started"), "AppArmor profile no-such-profile", "loaded");
        bundle.Process["apparmorProfile"] = "no-such-profile";
        machine.Refuses(bundle, "AppArmor profile no-such-profile", "loaded");
    }

    // runtime.md, "Create": a label of SELinux is an error where another module watches.
    [Fact]
    public void A_label_of_SELinux_is_an_error_under_AppArmor()
    {
        using var profile = new AppArmorProfile();
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process["selinuxLabel"] = "system_u:system_r:container_t:s0";
        machine.Refuses(bundle, "SELinux");
    }
}
