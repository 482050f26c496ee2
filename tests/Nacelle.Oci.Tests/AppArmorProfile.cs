namespace Nacelle.Oci.Tests;

/// <summary>A profile in the kernel that allows everything but writing to /data/denied; disposing unloads it.</summary>
sealed class AppArmorProfile : IDisposable
{
    readonly string file = Path.GetTempFileName();

    public AppArmorProfile()
    {
        Assert.SkipUnless(Directory.Exists("/sys/kernel/security/apparmor"), "the kernel does not run AppArmor: eng/guest.sh has one that does");
        Assert.SkipUnless(File.Exists("/sbin/apparmor_parser"), "needs Debian's apparmor");
        File.WriteAllText(file, $$"""
            profile {{Name}} flags=(attach_disconnected) {
              file,
              capability,
              network,
              mount,
              signal,
              ptrace,
              deny /data/denied w,
            }
            """);
        Expectations.Succeeds(OciMachine.Run("/sbin/apparmor_parser", "--replace", "--skip-cache", file));
    }

    public string Name { get; } = OciMachine.NewId();

    /// <summary>What the kernel says of a process that the profile confines.</summary>
    public string Enforced => $"{Name} (enforce)";

    public void Dispose()
    {
        OciMachine.Run("/sbin/apparmor_parser", "--remove", file);
        File.Delete(file);
    }
}
