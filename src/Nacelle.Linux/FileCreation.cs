using System.Globalization;

namespace Nacelle.Linux;

/// <summary>What the kernel gives to a file that this process makes: its owner and group, and the permission bits it takes away.</summary>
public readonly record struct FileCreation(uint Owner, uint Group, uint Umask)
{
    /// <summary>As things are now; another thread may change the umask. See proc_pid_status(5).</summary>
    public static FileCreation OfThisThread()
    {
        // Without /proc nothing is known, and these values say so: nobody's, and every bit taken.
        uint owner = uint.MaxValue, group = uint.MaxValue, umask = 0x1FF;
        foreach (var line in Files.TryReadText(FileDescriptor.WorkingDirectory, "/proc/thread-self/status")?.Split('\n') ?? [])
        {
            switch (line.Split([':', '\t'], StringSplitOptions.RemoveEmptyEntries))
            {
                // Real, effective, saved, and the one that counts here: the file system's.
                case ["Uid", _, _, _, var id]: owner = uint.Parse(id, CultureInfo.InvariantCulture); break;
                case ["Gid", _, _, _, var id]: group = uint.Parse(id, CultureInfo.InvariantCulture); break;
                case ["Umask", var bits]: umask = Convert.ToUInt32(bits.Trim(), 8); break;
            }
        }

        return new FileCreation(owner, group, umask);
    }
}
