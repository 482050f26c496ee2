using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>What has happened in a directory. The numbers of inotify(7).</summary>
[Flags]
public enum DirectoryChanges : uint
{
    None = 0,

    /// <summary>A file that was open for writing was closed.</summary>
    Written = 0x8,

    /// <summary>Something was moved here.</summary>
    MovedHere = 0x80,

    /// <summary>A name was made.</summary>
    Created = 0x100,

    /// <summary>A name was removed.</summary>
    Deleted = 0x200,

    /// <summary>More has happened than was kept: look yourself.</summary>
    Overflow = 0x4000,
}

/// <param name="Watch">As <see cref="DirectoryWatch.TryAdd"/> gave it; -1 for <see cref="DirectoryChanges.Overflow"/>.</param>
public readonly record struct DirectoryChange(int Watch, DirectoryChanges Kind, string Name);

/// <summary>Watches directories for changes of their entries. See inotify(7).</summary>
public sealed unsafe partial class DirectoryWatch : IDisposable
{
    const int IN_CLOEXEC = 0x80000, IN_NONBLOCK = 0x800, EventSize = 16;
    const uint IN_ONLYDIR = 0x1000000;

    readonly byte[] buffer = new byte[16384];

    public DirectoryWatch() => Descriptor = new FileDescriptor(Call.Check(inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "inotify_init", ""), "directory changes");

    /// <summary>Readable when something has changed.</summary>
    public FileDescriptor Descriptor { get; }

    /// <summary>Begins to watch; a directory that is watched already keeps its number.</summary>
    /// <returns>The watch's number, or null where there is no such directory any more.</returns>
    /// <exception cref="KernelException">ENOSPC: the user watches too much (fs.inotify.max_user_watches).</exception>
    public int? TryAdd(FileDescriptor at, string path, DirectoryChanges changes)
    {
        var name = path.Length == 0 ? at.ProcPath : $"{at.ProcPath}/{path}";
        int watch = inotify_add_watch(Descriptor, name, (uint)changes | IN_ONLYDIR);
        return watch >= 0 ? watch
            : Call.LastError is Errno.ENOENT or Errno.ENOTDIR ? null
            : throw new KernelException($"watch {at.Description}/{path}", Call.LastError);
    }

    /// <summary>What has happened since the last look, in order. Does not wait.</summary>
    public IReadOnlyList<DirectoryChange> Read()
    {
        var changes = new List<DirectoryChange>();
        for (int length; (length = Files.TryRead(Descriptor, buffer)) > 0;)
        {
            for (int at = 0; at + EventSize <= length;)
            {
                var entry = buffer.AsSpan(at);
                int nameLength = (int)BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]);
                var name = entry.Slice(EventSize, nameLength);
                int end = name.IndexOf((byte)0);
                changes.Add(new DirectoryChange(
                    BinaryPrimitives.ReadInt32LittleEndian(entry), (DirectoryChanges)BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]), KernelString.Decode(end < 0 ? name : name[..end])));
                at += EventSize + nameLength;
            }
        }

        return changes;
    }

    public void Dispose() => Descriptor.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int inotify_add_watch(FileDescriptor descriptor, string path, uint mask);
}
