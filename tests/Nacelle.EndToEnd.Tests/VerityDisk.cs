using Nacelle.Linux;

namespace Nacelle.EndToEnd.Tests;

/// <summary>A machine whose data directory lies on a small ext4 of its own that has fs-verity, and that can be written to behind the kernel's back.</summary>
sealed class VerityDisk : IDisposable
{
    readonly string path;

    public VerityDisk()
    {
        Assert.SkipUnless(Processes.IsRoot, "disks are mounted by root");
        Assert.SkipUnless(File.Exists("/sys/fs/ext4/features/verity") && Overlay.CanVerify, "the kernel has no fs-verity, or its overlayfs does not know of it (Linux 6.6)");
        Machine.Require("/sbin/mkfs.ext4", "/sbin/debugfs", "/bin/busybox");
        path = Directory.CreateTempSubdirectory("nacelle-verity-").FullName;
        Machine.Script(path, "truncate -s 256M image; mkfs.ext4 -q -b 4096 -O verity image; mkdir disk");
        Mount();
        Machine = new Machine();
        Directory.CreateDirectory(Root + "/data");
        Directory.CreateSymbolicLink(Machine.Data, Root + "/data");
    }

    public Machine Machine { get; }

    string Root => path + "/disk";

    /// <summary>The one file below <c>layers/</c> whose path ends so.</summary>
    public string LayerFile(string end) => Directory.GetDirectories(Root + "/data/layers").Select(layer => $"{layer}/{end}").Single(File.Exists);

    /// <summary>Changes a byte of a file on the disk, below the file system, and forgets what is in memory.</summary>
    public void Flip(string file, int offset)
    {
        var inside = file[Root.Length..];
        Machine.Script(path, "sync; umount disk");
        var block = long.Parse(Machine.Script(path, $"debugfs -R 'bmap {inside} {offset / 4096}' image 2>/dev/null").Trim());
        using (var image = File.Open(path + "/image", FileMode.Open))
        {
            image.Position = block * 4096 + offset % 4096;
            int value = image.ReadByte();
            image.Position--;
            image.WriteByte((byte)(value ^ 0x40));
        }

        Mount();
    }

    void Mount() => Machine.Script(path, "mount -o loop image disk");

    public void Dispose()
    {
        Machine.Dispose();
        Machine.Script(path, "umount disk");
        Directory.Delete(path, recursive: true);
    }
}
