using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>The executable of Nacelle.Runner, which this library carries: a sealed copy of it is what a container's process is until its program starts.</summary>
/// <remarks>
/// CVE-2019-5736: a container that makes its runtime execute /proc/self/exe, or that opens the /proc/PID/exe of one of its processes, gets hold of this copy.
/// Nobody can write to it, and nobody else ever runs it.
/// </remarks>
static partial class Runner
{
    /// <summary>What the process is called in ps(1) until its program starts.</summary>
    public const string Name = "nacelle-runner";

    /// <summary>A new sealed copy, to be executed by descriptor.</summary>
    public static FileDescriptor Open() => SealedMemory.TryMake(Name, Image) ?? InMountOfItsOwn();

    /// <summary>Where the machine forbids programs in anonymous memory (sysctl vm.memfd_noexec=2): in a tmpfs that is attached nowhere and read-only.</summary>
    static FileDescriptor InMountOfItsOwn()
    {
        using var mount = Mounts.NewFileSystem("tmpfs", ["mode=700"], default);
        using (var file = Files.Open(mount, Name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x1C0))
        {
            Files.Write(file, Image);
        }

        Mounts.SetAttributes(mount, MountAttributes.ReadOnly);
        return Files.Open(mount, Name, OpenFlags.Path);
    }
}
