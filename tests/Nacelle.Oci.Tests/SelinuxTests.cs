namespace Nacelle.Oci.Tests;

/// <summary>Programs and mounts that SELinux knows by the labels of the configuration, where the kernel runs it.</summary>
public sealed class SelinuxTests
{
    const string Label = "nacelle_u:nacelle_r:container_t:s0:c1,c2";
    const string FileLabel = "nacelle_u:object_r:container_file_t:s0:c1,c2";

    /// <summary>Says what it runs as; may write where the label of the mounts allows it, and nowhere else.</summary>
    const string Look = "tr -d '\\0' </proc/self/attr/current; echo; (echo word >/data/denied) 2>/dev/null && echo written; echo word >/mnt/allowed && echo allowed";

    public SelinuxTests() => SelinuxPolicy.Load();

    // config.md, "Linux Process", selinuxLabel; config-linux.md, "Mount Label": both are as given, also with categories, and hold.
    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void Program_and_mounts_have_the_labels_that_are_given(bool hasUsers, bool noNewPrivileges)
    {
        using var machine = new OciMachine();
        var bundle = Labelled(machine, Look);
        bundle.Process["selinuxLabel"] = Label;
        bundle.Process["noNewPrivileges"] = noNewPrivileges;
        if (hasUsers)
        {
            bundle.SetUsers();
        }

        Assert.Equal($"{Label}\nallowed", machine.OutputOf(bundle));
    }

    // config-linux.md, "Mount Label": those that have files of their own have the label, however long the other options are.
    [Theory]
    [InlineData("/mnt")]
    [InlineData("/dev/shm")]
    [InlineData("/dev/pts")]
    [InlineData("/dev/mqueue")]
    [InlineData("/long")]
    [InlineData("/copied")]
    [InlineData("/copied/file")]
    [InlineData("/sys/firmware")]
    public void A_mount_has_the_label(string path)
    {
        using var machine = new OciMachine();
        var bundle = Labelled(machine, "exec sleep 1000");
        bundle.AddMount("/long", "tmpfs", "tmpfs", "size=1m", $"mode={new string('0', 300)}755");
        bundle.AddMount("/copied", "tmpfs", "tmpfs", "tmpcopyup");
        Directory.CreateDirectory($"{bundle.Rootfs}/copied");
        File.WriteAllText($"{bundle.Rootfs}/copied/file", "");
        var id = machine.Start(bundle.Write());
        Assert.Equal(FileLabel, LabelOf($"/proc/{machine.Pid(id)}/root{path}"));
    }

    // As engines write it: the label in quotes, because of the comma, and among the options of the mount.
    [Theory]
    [InlineData("context")]
    [InlineData("rootcontext")]
    public void A_label_among_the_options_may_be_in_quotes(string option)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.AddMount("/mnt", "tmpfs", "tmpfs", $"{option}=\"{FileLabel}\"");
        var id = machine.Start(bundle.Write());
        Assert.Equal(FileLabel, LabelOf($"/proc/{machine.Pid(id)}/root/mnt"));
    }

    // What a program's keys are labelled with is its own label; see keyrings(7) and setkeycreatecon(3).
    [Fact]
    public void The_session_keyring_has_the_programs_label()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/keyctl"), "needs Debian's keyutils");
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.Process["selinuxLabel"] = Label;
        var id = machine.Start(bundle.Write());
        var keyring = File.ReadLines("/proc/keys").Single(line => line.Contains($" _ses.{id}:", StringComparison.Ordinal));
        Assert.Equal(Label, OciMachine.Run("/usr/bin/keyctl", "security", $"0x{keyring.Split(' ')[0]}").Output.TrimEnd('\n', '\0'));
    }

    // Without labels the program is its caller's equal, and the files are the host's.
    [Fact]
    public void Without_labels_the_program_is_as_free_as_its_caller()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell(Look);
        machine.Share(bundle);
        bundle.AddMount("/mnt", "tmpfs", "tmpfs");
        Assert.Equal("nacelle_u:nacelle_r:host_t:s0\nwritten\nallowed", machine.OutputOf(bundle));
    }

    // The same for a further process: the container's label, or the one that is given for it alone.
    [Theory]
    [InlineData(Label, null)]
    [InlineData(null, "nacelle_u:nacelle_r:container_t:s0:c3")]
    [InlineData(Label, "nacelle_u:nacelle_r:container_t:s0:c3")]
    public void Who_joins_has_the_label(string? ofContainer, string? option)
    {
        using var machine = new OciMachine();
        var bundle = Labelled(machine, "sleep 1000");
        if (ofContainer is not null)
        {
            bundle.Process["selinuxLabel"] = ofContainer;
        }

        var id = machine.Start(bundle.Write());
        string[] options = option is not null ? [$"--process-label={option}"] : [];
        var exec = machine.Oci(["exec", .. options, id, "/bin/sh", "-c", Look]);
        Assert.True(exec.Output == $"{option ?? ofContainer}\nallowed\n", exec.ToString());
    }

    // runtime.md, "Create": a label that the policy does not know is an error, and the program does not run without.
    [Fact]
    public void A_label_that_the_policy_does_not_know_is_an_error()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var id = machine.Start(bundle.Write());
        Expectations.Fails(machine.Oci("exec", "--process-label=nacelle_u:nacelle_r:nosuch_t:s0", id, "/bin/echo", "started"), "SELinux label", "nosuch_t");
        bundle.Process["selinuxLabel"] = "nacelle_u:nacelle_r:nosuch_t:s0";
        machine.Refuses(bundle, "SELinux label", "nosuch_t");
        bundle.Process.Remove("selinuxLabel");
        bundle.Linux["mountLabel"] = "nacelle_u:object_r:nosuch_t:s0";
        machine.Refuses(bundle);
    }

    static string LabelOf(string path) => OciMachine.Run("/usr/bin/stat", "-c", "%C", path).Output.TrimEnd('\n', '\0');

    /// <summary>With a volume of the host's at /data, and a file system of its own at /mnt.</summary>
    static Bundle Labelled(OciMachine machine, string script)
    {
        var bundle = machine.Shell(script);
        machine.Share(bundle);
        bundle.AddMount("/mnt", "tmpfs", "tmpfs");
        bundle.Linux["mountLabel"] = FileLabel;
        return bundle;
    }
}
